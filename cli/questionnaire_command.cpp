// epione questionnaire validate FILE [--response FILE] [--value-set FILE...] [--json], and questionnaire show FILE
#include "cli/commands.hpp"
#include "cli/form_tree.hpp"
#include "cli/table.hpp"
#include "domain/questionnaire_compiler.hpp"
#include "domain/questionnaire_response.hpp"
#include "runtime/process.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <ostream>
#include <tl/expected.hpp>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;

constexpr std::size_t file_bytes_max = 256 * 1024 * 1024; // a code system of half a million codes; more fills the memory
constexpr std::size_t items_max = 1'000'000;              // of a form that is only looked at

struct validate_options {
  std::string form, response;
  std::vector<std::string> value_sets;
  bool json = false;
};

tl::expected<std::string, std::string> read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in)
    return tl::unexpected("cannot open " + path + ": " + std::strerror(errno));
  std::string text;
  std::vector<char> block(1024 * 1024);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    text.append(block.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > file_bytes_max)
      return tl::unexpected(path + " is larger than " + std::to_string(file_bytes_max) + " bytes");
  }
  if (in.bad())
    return tl::unexpected("cannot read " + path);
  return text;
}

/// Everything that is looked at, and what is wrong with it.
class validation {
public:
  /// The reason when a file cannot be read, or is not JSON of what it should be.
  tl::expected<void, std::string> run(const validate_options& options) {
    for (const auto& path : options.value_sets)
      if (auto read = add_value_set(path); !read)
        return read;
    if (!options.form.empty())
      if (auto read = compile(options.form); !read)
        return read;
    return options.response.empty() ? tl::expected<void, std::string>{} : check(options.response, !options.form.empty());
  }

  const std::vector<domain::fhir_issue>& issues() const { return issues_; }
  const std::optional<domain::questionnaire>& form() const { return form_; }

  tl::expected<void, std::string> compile(const std::string& path) {
    const auto text = read_file(path);
    if (!text)
      return tl::unexpected(text.error());
    domain::file_problems problems{"Questionnaire", issues_};
    domain::compile_options options;
    options.for_submissions = false;
    options.items_max = items_max;
    options.bytes_max = file_bytes_max;
    options.given = &given_;
    form_ = domain::compile_questionnaire(*text, problems, options);
    if (!form_)
      return tl::unexpected(path + " cannot be read as a Questionnaire: " + issues_.back().message);
    return {};
  }

private:
  tl::expected<void, std::string> add_value_set(const std::string& path) {
    const auto text = read_file(path);
    if (!text)
      return tl::unexpected(text.error());
    std::vector<domain::fhir_issue> issues;
    domain::file_problems problems{"ValueSet", issues};
    given_.add(*text, problems);
    if (!issues.empty())
      return tl::unexpected(path + ": " + issues.front().message);
    return {};
  }

  tl::expected<void, std::string> check(const std::string& path, bool with_form) {
    const auto text = read_file(path);
    if (!text)
      return tl::unexpected(text.error());
    const auto response = domain::parse_response(*text);
    if (!response)
      return tl::unexpected(path + " cannot be read as a QuestionnaireResponse: " + response.error().message);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const domain::response_context context{std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
    const auto found =
        with_form ? domain::check_response(*response, *form_, context) : domain::check_response_without_form(*response);
    issues_.insert(issues_.end(), found.begin(), found.end());
    return {};
  }

  domain::terminology given_;
  std::optional<domain::questionnaire> form_;
  std::vector<domain::fhir_issue> issues_;
};

void print_issues(std::ostream& out, const std::vector<domain::fhir_issue>& issues) {
  std::vector<std::vector<std::string>> rows{{"SEVERITY", "LINKID", "PLACE", "PROBLEM"}};
  for (const auto& i : issues)
    rows.push_back({std::string{domain::name(i.severity)}, i.link_id, i.expression, i.message});
  print_table(out, rows);
}

std::size_t errors_in(const std::vector<domain::fhir_issue>& issues) {
  std::size_t count = 0;
  for (const auto& i : issues)
    count += i.severity == domain::issue_severity::error ? 1 : 0;
  return count;
}

int validate(const validate_options& options, command_context& context) {
  if (options.form.empty() && options.response.empty()) {
    context.err << "epione: name a questionnaire's file, or a response's with --response\n";
    return exit_code::usage;
  }
  validation v;
  if (const auto read = v.run(options); !read) {
    context.err << "epione: " << printable(read.error()) << '\n';
    return exit_code::failed;
  }
  const auto errors = errors_in(v.issues());
  const int code = errors == 0 ? exit_code::done : exit_code::problems;
  if (options.json) {
    context.out << domain::operation_outcome(v.issues()) << '\n';
    return code;
  }
  if (!v.issues().empty())
    print_issues(context.out, v.issues());
  const auto* what = options.response.empty() ? "The questionnaire" : "The response";
  if (errors == 0)
    context.out << what << " is valid.\n";
  else
    context.err << "epione: " << errors << (errors == 1 ? " error" : " errors") << '\n';
  return code;
}

int show(const std::string& path, command_context& context) {
  validation v;
  if (const auto read = v.compile(path); !read) {
    context.err << "epione: " << printable(read.error()) << '\n';
    return exit_code::failed;
  }
  print_form(context.out, *v.form());
  const auto errors = errors_in(v.issues());
  if (errors == 0)
    return exit_code::done;
  context.err << "epione: the questionnaire has " << errors << (errors == 1 ? " error" : " errors")
              << "; see: epione questionnaire validate " << printable(path) << '\n';
  return exit_code::problems;
}

} // namespace

void add_questionnaire_command(CLI::App& app, command_context& context) {
  auto* noun = app.add_subcommand("questionnaire", "FHIR R4 Questionnaires and responses to them, as files");
  noun->require_subcommand(1);

  auto* check =
      noun->add_subcommand("validate", "Check a questionnaire, and a response to it; lists every problem. Exit codes: 0 "
                                       "valid, 4 not valid, 1 unreadable");
  auto options = std::make_shared<validate_options>();
  check->add_option("file", options->form, "The Questionnaire (JSON); without it a response cannot be resolved and is not valid");
  check->add_option("--response", options->response, "A QuestionnaireResponse to it (JSON)");
  check->add_option("--value-set", options->value_sets,
                    "ValueSet, CodeSystem or Bundle of them that the form names (JSON); several");
  check->add_flag("--json", options->json, "An OperationOutcome, for programs");
  check->callback([options, &context] { context.chosen = [options, &context] { return validate(*options, context); }; });

  auto* tree = noun->add_subcommand("show", "Draw a questionnaire as a tree");
  auto path = std::make_shared<std::string>();
  tree->add_option("file", *path, "The Questionnaire (JSON)")->required();
  tree->callback([path, &context] { context.chosen = [path, &context] { return show(*path, context); }; });
}

} // namespace epione::cli
