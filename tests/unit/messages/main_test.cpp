#define BOOST_TEST_MODULE unit_messages
#include <boost/test/unit_test.hpp>
