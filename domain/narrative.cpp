#include "domain/narrative.hpp"

#include "domain/json_text.hpp"

#include <algorithm>
#include <utility>

namespace epione::domain {

namespace {

constexpr std::string_view xhtml_namespace = "http://www.w3.org/1999/xhtml";
constexpr std::size_t narrative_depth_max = 100;
constexpr std::size_t reference_bytes_max = 32; // the longest name that HTML has is shorter

constexpr std::string_view narrative_elements[] = {
    "p",       "br",    "div",        "h1",     "h2",      "h3",    "h4",      "h5",       "h6",  "a",     "span",
    "b",       "em",    "i",          "strong", "small",   "big",   "tt",      "dfn",      "q",   "var",   "abbr",
    "acronym", "cite",  "blockquote", "hr",     "address", "bdo",   "kbd",     "sub",      "sup", "ul",    "ol",
    "li",      "dl",    "dt",         "dd",     "pre",     "table", "caption", "colgroup", "col", "thead", "tr",
    "tfoot",   "tbody", "th",         "td",     "code",    "samp",  "img",     "map",      "area"};

/// Of every element.
constexpr std::string_view common_attributes[] = {
    "title", "style", "class",  "id",   "lang",    "xml:lang", "xml:space", "dir",     "accesskey", "tabindex", "span",
    "width", "align", "valign", "char", "charoff", "abbr",     "axis",      "headers", "scope",     "rowspan",  "colspan"};

/// Of one element.
constexpr std::string_view own_attributes[] = {"a.href",
                                               "a.name",
                                               "a.charset",
                                               "a.type",
                                               "a.hreflang",
                                               "a.rel",
                                               "a.rev",
                                               "a.shape",
                                               "a.coords",
                                               "img.src",
                                               "img.border",
                                               "img.alt",
                                               "img.longdesc",
                                               "img.height",
                                               "img.width",
                                               "img.usemap",
                                               "img.ismap",
                                               "map.name",
                                               "area.shape",
                                               "area.coords",
                                               "area.href",
                                               "area.nohref",
                                               "area.alt",
                                               "blockquote.cite",
                                               "q.cite",
                                               "table.summary",
                                               "table.width",
                                               "table.border",
                                               "table.frame",
                                               "table.rules",
                                               "table.cellspacing",
                                               "table.cellpadding",
                                               "pre.space",
                                               "td.nowrap"};

template <std::size_t N>
bool is_one_of(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool is_markup_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool begins_markup_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || (static_cast<unsigned char>(c) & 0x80) != 0;
}

bool is_in_markup_name(char c) {
  return begins_markup_name(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/// What is between & and ; at the beginning of `text`; empty when that is no reference.
std::string_view reference_at(std::string_view text) {
  const auto end = text.substr(0, reference_bytes_max).find(';');
  if (end == std::string_view::npos || end < 2)
    return {};
  const auto name = text.substr(1, end - 1);
  const auto all = [](std::string_view part, auto fits) { return !part.empty() && std::all_of(part.begin(), part.end(), fits); };
  const auto is_decimal = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_hex = [&](char c) { return is_decimal(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  const auto is_letter_or_digit = [&](char c) { return is_decimal(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const bool good = name.starts_with("#x")  ? all(name.substr(2), is_hex)
                    : name.starts_with('#') ? all(name.substr(1), is_decimal)
                                            : all(name, is_letter_or_digit) && !is_decimal(name.front());
  return good ? name : std::string_view{};
}

/// The character that a reference stands for, as far as the beginning of a link can need it; 0 for others.
char referenced_character(std::string_view name) {
  if (!name.starts_with('#'))
    return name == "colon" ? ':' : name == "Tab" ? '\t' : name == "NewLine" ? '\n' : '\0';
  const bool hex = name.starts_with("#x");
  unsigned value = 0;
  for (const char c : name.substr(hex ? 2 : 1)) {
    const auto digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    value = std::min(value * (hex ? 16u : 10u) + static_cast<unsigned>(digit), 0x7FFFFFu);
  }
  return value < 0x80 ? static_cast<char>(value) : '\0';
}

/// Whether a link runs something instead of leading somewhere. Browsers pass over blanks in it and resolve references.
bool runs_script(std::string_view link) {
  std::string plain;
  for (std::size_t i = 0; i < link.size() && plain.size() < 16; ++i) {
    auto c = link[i];
    if (c == '&')
      if (const auto name = reference_at(link.substr(i)); !name.empty()) {
        c = referenced_character(name);
        i += name.size() + 1;
      }
    if (static_cast<unsigned char>(c) > 0x20)
      plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return plain.starts_with("javascript:") || plain.starts_with("vbscript:") || plain.starts_with("data:text/html");
}

class narrative_scanner {
public:
  explicit narrative_scanner(std::string_view text) : text_(text) {}

  /// False when there is an error; then failure() is it.
  bool scan() {
    skip_blanks();
    if (rest().starts_with("<?xml ") && !skip_to("?>"))
      return malformed("its XML declaration does not end");
    while (at_ < text_.size())
      if (!(text_[at_] == '<' ? scan_markup() : scan_text()))
        return false;
    if (!begun_)
      return malformed("it must be a div element");
    if (!open_.empty())
      return malformed("the element " + quotable(open_.back()) + " is not closed");
    return true;
  }

  const narrative_finding& failure() const { return failure_; }
  bool has_content() const { return content_; }
  bool has_html_entities() const { return html_entities_; }

private:
  struct attribute {
    std::string_view name, value;
  };

  std::string_view rest() const { return text_.substr(at_); }
  void skip_blanks() {
    while (at_ < text_.size() && is_markup_blank(text_[at_]))
      ++at_;
  }
  /// Goes behind the next `end`; false when there is none.
  bool skip_to(std::string_view end) {
    const auto found = text_.find(end, at_);
    at_ = found == std::string_view::npos ? text_.size() : found + end.size();
    return found != std::string_view::npos;
  }
  bool fail(issue_type code, std::string message) {
    failure_ = {issue_severity::error, code, std::move(message)};
    return false;
  }
  bool malformed(const std::string& why) { return fail(issue_code::structure, "the div is not well-formed XHTML: " + why); }
  bool not_allowed(const std::string& what) {
    return fail(issue_code::invariant, what + " is not allowed in a narrative (FHIR invariant txt-1)");
  }

  std::string_view read_name() {
    const auto first = at_;
    if (at_ < text_.size() && begins_markup_name(text_[at_]))
      while (at_ < text_.size() && is_in_markup_name(text_[at_]))
        ++at_;
    return text_.substr(first, at_ - first);
  }

  /// References in text or in an attribute's value.
  bool check_references(std::string_view text) {
    for (auto i = text.find('&'); i != std::string_view::npos; i = text.find('&', i + 1)) {
      const auto name = reference_at(text.substr(i));
      if (name.empty())
        return malformed("an & that begins no reference is written &amp;");
      const bool known = name.front() == '#' || name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "apos";
      html_entities_ = html_entities_ || !known;
    }
    return true;
  }

  bool scan_text() {
    const auto text = text_.substr(at_, text_.find('<', at_) - at_);
    at_ += text.size();
    if (std::all_of(text.begin(), text.end(), is_markup_blank))
      return true;
    if (open_.empty())
      return malformed("it must be one div element with nothing beside it");
    content_ = true;
    return check_references(text);
  }

  bool scan_markup() {
    if (rest().starts_with("<!--")) {
      at_ += 4;
      return skip_to("-->") || malformed("a comment does not end");
    }
    if (rest().starts_with("<![CDATA[") && !open_.empty()) {
      const auto first = at_ + 9;
      if (!skip_to("]]>"))
        return malformed("a CDATA section does not end");
      const auto text = text_.substr(first, at_ - 3 - first);
      content_ = content_ || !std::all_of(text.begin(), text.end(), is_markup_blank);
      return true;
    }
    if (rest().starts_with("<!"))
      return malformed("a DOCTYPE or another declaration must not stand in it");
    if (rest().starts_with("<?"))
      return malformed("an instruction in <? ?> must not stand in it");
    return rest().starts_with("</") ? scan_end() : scan_start();
  }

  bool scan_end() {
    at_ += 2;
    const auto name = read_name();
    skip_blanks();
    if (name.empty() || !rest().starts_with('>'))
      return malformed("an end tag is not complete");
    ++at_;
    if (open_.empty() || open_.back() != name)
      return malformed("the end tag of " + quotable(name) + " does not match a start tag");
    open_.pop_back();
    return true;
  }

  bool scan_start() {
    ++at_;
    const auto name = read_name();
    if (name.empty())
      return malformed("a < that begins no element is written &lt;");
    if (begun_ && open_.empty())
      return malformed("it must be one div element with nothing beside it");
    if (!read_attributes(name) || !check_element(name))
      return false;
    begun_ = true;
    const bool closed = rest().starts_with("/>");
    at_ += closed ? 2 : 1;
    if (closed)
      return true;
    if (open_.size() >= narrative_depth_max)
      return fail(issue_code::structure,
                  "elements of the div lie in each other more than " + std::to_string(narrative_depth_max) + " deep");
    open_.push_back(name);
    return true;
  }

  /// Up to the > or /> behind them.
  bool read_attributes(std::string_view element) {
    const auto bad = [&] { return malformed("the start tag of " + quotable(element) + " is not complete"); };
    attributes_.clear();
    for (skip_blanks(); !rest().starts_with('>') && !rest().starts_with("/>"); skip_blanks()) {
      const auto name = read_name();
      skip_blanks();
      if (name.empty() || !rest().starts_with('='))
        return bad();
      ++at_;
      skip_blanks();
      if (!rest().starts_with('"') && !rest().starts_with('\''))
        return bad();
      const auto first = at_ + 1;
      const auto end = text_.find(text_[at_], first);
      if (end == std::string_view::npos)
        return bad();
      const auto value = text_.substr(first, end - first);
      at_ = end + 1;
      if (value.find('<') != std::string_view::npos)
        return malformed("a < in an attribute is written &lt;");
      if (!check_references(value))
        return false;
      attributes_.push_back({name, value});
    }
    std::sort(attributes_.begin(), attributes_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    if (std::adjacent_find(attributes_.begin(), attributes_.end(),
                           [](const auto& a, const auto& b) { return a.name == b.name; }) != attributes_.end())
      return malformed("an element has the same attribute twice");
    return true;
  }

  /// Element and attributes are of those that a narrative may have, and in the namespace of XHTML.
  bool check_element(std::string_view tag) {
    if (!begun_)
      prefix_ = tag.substr(0, tag.find(':') == std::string_view::npos ? 0 : tag.find(':') + 1);
    const bool prefixed = tag.starts_with(prefix_);
    const auto name = prefixed ? tag.substr(prefix_.size()) : tag;
    if (!begun_ && name != "div")
      return malformed("it must be a div element");
    if (!check_namespace())
      return false;
    if (!prefixed || !is_one_of(narrative_elements, name))
      return not_allowed("the element " + quotable(tag));
    content_ = content_ || name == "img";
    for (const auto& a : attributes_) {
      const auto own = std::string{name}.append(".").append(a.name);
      if (!a.name.starts_with("xmlns") && !is_one_of(common_attributes, a.name) && !is_one_of(own_attributes, own))
        return not_allowed("the attribute " + quotable(a.name) + " of " + quotable(tag));
      if ((a.name == "href" || a.name == "src" || a.name == "longdesc" || a.name == "cite") && runs_script(a.value))
        return not_allowed("a script in the attribute " + quotable(a.name) + " of " + quotable(tag));
    }
    return true;
  }

  bool check_namespace() {
    const auto named =
        prefix_.empty() ? std::string{"xmlns"} : std::string{"xmlns:"}.append(prefix_.substr(0, prefix_.size() - 1));
    const auto found = std::find_if(attributes_.begin(), attributes_.end(), [&](const auto& a) { return a.name == named; });
    if (found == attributes_.end() ? begun_ : found->value == xhtml_namespace)
      return true;
    return fail(issue_code::invalid, "the div must have the namespace of XHTML: xmlns=\"" + std::string{xhtml_namespace} + "\"");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool begun_ = false; // the div has begun
  bool content_ = false;
  bool html_entities_ = false;
  std::string_view prefix_; // with its colon; empty: none
  std::vector<std::string_view> open_;
  std::vector<attribute> attributes_; // of the element that is being read
  narrative_finding failure_;
};

} // namespace

std::vector<narrative_finding> check_narrative(std::string_view div) {
  narrative_scanner scanner{div};
  std::vector<narrative_finding> found;
  if (!scanner.scan()) {
    found.push_back(scanner.failure());
    return found;
  }
  if (scanner.has_html_entities())
    found.push_back(
        {issue_severity::warning, issue_code::invalid,
         "the div has an entity that only HTML knows, such as &nbsp; and not XML: write the character itself or its number"});
  if (!scanner.has_content())
    found.push_back({issue_severity::warning, issue_code::invariant,
                     "there is nothing to be read in the div, neither text nor an image (FHIR invariant txt-2)"});
  return found;
}

} // namespace epione::domain
