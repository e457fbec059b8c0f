#include "runtime/http/openapi.hpp"

namespace epione::runtime::http {

std::string_view openapi_text() {
  return R"json({"openapi":"3.0.3","info":{"title":"Epione","version":")json" EPIONE_VERSION R"json("},"paths":{}})json";
}

} // namespace epione::runtime::http
