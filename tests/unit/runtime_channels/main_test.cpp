#define BOOST_TEST_MODULE unit_runtime_channels
#include <boost/test/unit_test.hpp>
