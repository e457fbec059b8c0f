#include "domain/fhirpath_case.hpp"

#include <array>

namespace epione::domain::fhirpath {

namespace {

/// Capitals from `first` to `last`; their small letters lie `distance` further. Distance 1: capital and small ones take turns.
struct letters {
  char32_t first, last;
  int distance;
};

// Unicode's simple case mappings, all within characters of two bytes.
constexpr std::array<letters, 18> rows{{{U'A', U'Z', 32},
                                        {0xC0, 0xD6, 32},
                                        {0xD8, 0xDE, 32},
                                        {0x100, 0x12E, 1},
                                        {0x132, 0x136, 1},
                                        {0x139, 0x147, 1},
                                        {0x14A, 0x176, 1},
                                        {0x178, 0x178, -121},
                                        {0x179, 0x17D, 1},
                                        {0x1CD, 0x1DB, 1},
                                        {0x1DE, 0x1EE, 1},
                                        {0x1F8, 0x21E, 1},
                                        {0x391, 0x3A1, 32},
                                        {0x3A3, 0x3AB, 32},
                                        {0x400, 0x40F, 80},
                                        {0x410, 0x42F, 32},
                                        {0x460, 0x480, 1},
                                        {0x531, 0x556, 48}}};

char32_t mapped(char32_t c, bool upper) {
  for (const auto& r : rows) {
    const auto distance = static_cast<char32_t>(r.distance); // wraps round for the negative one, as adding it does
    if (r.distance == 1) {
      const bool capital = (c - r.first) % 2 == 0;
      if (c >= r.first && c <= r.last + 1 && capital == !upper)
        return upper ? c - 1 : c + 1;
    } else if (!upper && c >= r.first && c <= r.last) {
      return c + distance;
    } else if (upper && c >= r.first + distance && c <= r.last + distance) {
      return c - distance;
    }
  }
  return c;
}

std::string convert(std::string_view text, bool upper) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      out += static_cast<char>(mapped(c, upper));
    } else if (c >= 0xC2 && c < 0xE0 && i + 1 < text.size()) {
      const auto m = mapped((static_cast<char32_t>(c & 0x1F) << 6) | (static_cast<unsigned char>(text[++i]) & 0x3F), upper);
      out += static_cast<char>(0xC0 | (m >> 6));
      out += static_cast<char>(0x80 | (m & 0x3F));
    } else {
      out += text[i];
    }
  }
  return out;
}

} // namespace

std::string lower_case(std::string_view text) {
  return convert(text, false);
}

std::string upper_case(std::string_view text) {
  return convert(text, true);
}

} // namespace epione::domain::fhirpath
