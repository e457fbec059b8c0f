// Certificates for nodes in tests, as `epione cert` makes them.
#pragma once

#include "cluster/certificates.hpp"
#include "cluster/peer_tls.hpp"
#include "runtime/clock.hpp"
#include "runtime/random.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>
#include <utility>

namespace epione::cluster::test {

constexpr std::int64_t day_s = 86'400;
inline std::int64_t now_s() {
  return runtime::system_clock{}.wall_us() / 1'000'000;
}

/// A cluster's authority and the certificates it gives.
class authority {
public:
  explicit authority(std::string directory) : directory_(std::move(directory)) {
    cluster::authority_request r;
    r.directory = directory_;
    r.now_s = now_s() - 1'000 * day_s;
    check(make_authority(r, random_));
  }
  const std::string& directory() const { return directory_; }
  std::string certificate() const { return directory_ + "/" + authority_certificate; }
  /// For `node`, into `to`; begins so many days from now.
  tls_files issue(const std::string& node, const std::string& to, std::int64_t begin_days = 0, std::uint32_t days = 10,
                  bool force = false) {
    node_request r;
    r.node = node;
    r.authority_directory = directory_;
    r.directory = to;
    r.days = days;
    r.force = force;
    r.now_s = now_s() + begin_days * day_s;
    check(issue_certificate(r, random_));
    return {to + "/" + node + ".crt", to + "/" + node + ".key", to + "/" + authorities_file};
  }

private:
  static void check(const tl::expected<void, std::string>& done) { BOOST_REQUIRE_MESSAGE(done, (done ? "" : done.error())); }
  std::string directory_;
  runtime::system_random random_;
};

} // namespace epione::cluster::test
