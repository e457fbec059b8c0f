#define BOOST_TEST_MODULE unit_peer
#include <boost/test/unit_test.hpp>
