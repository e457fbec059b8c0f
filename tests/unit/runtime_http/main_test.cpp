#define BOOST_TEST_MODULE unit_runtime_http
#include <boost/test/unit_test.hpp>
