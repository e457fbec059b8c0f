#define BOOST_TEST_MODULE unit_cluster
#include <boost/test/unit_test.hpp>
