// epione export
#include "cli/export_run.hpp"
#include "cli/settings_flags.hpp"
#include "domain/date_text.hpp"
#include "runtime/process.hpp"

#include <CLI/CLI.hpp>
#include <ostream>

namespace epione::cli {

namespace {

struct export_flags {
  export_options options;
  std::string format = "csv", since;
};

CLI::Validator time_check() {
  return {[](std::string& text) {
            return domain::parse_fhir_date_time(text)
                       ? std::string{}
                       : "\"" + text +
                             "\" is no time; write 2026-01-15T08:30:00+01:00, with a zone, or a date, "
                             "which begins at midnight UTC";
          },
          "TIME"};
}

} // namespace

void add_export_command(CLI::App& app, command_context& context) {
  auto* verb = app.add_subcommand(
      "export",
      "Write all submissions of a study as CSV or as JSON lines, of a running node or a stopped one's directory; exit 4 and "
      "the first broken event when something was changed");
  auto f = std::make_shared<export_flags>();
  verb->add_option("--study", f->options.study, "Study to export; may be left out when there is only one");
  verb->add_option("--format", f->format, "csv: a table, one row a submission; ndjson: one JSON object a line")
      ->check(CLI::IsMember({"csv", "ndjson"}))
      ->capture_default_str();
  verb->add_option("--form", f->options.form, "Only submissions of this form, and only its columns");
  auto* since = verb->add_option("--since", f->since, "Only what was stored at this time or later")->check(time_check());
  verb->add_option("--cursor-file", f->options.cursor_file,
                   "Only what this file's last export did not have; the file is written when the export is complete")
      ->type_name("FILE")
      ->excludes(since);
  verb->add_option("--output", f->options.output,
                   "File to write instead of standard output; it gets its name when the export is complete")
      ->type_name("FILE");
  auto flags = settings_flags::data_dir_only(*verb);
  verb->callback([flags, f, &context] {
    context.chosen = [flags, f, &context] {
      const auto config = flags->values(context);
      if (!config)
        return config.error();
      f->options.format = f->format == "ndjson" ? export_format::ndjson : export_format::csv;
      if (!f->since.empty())
        f->options.since_us = domain::parse_fhir_date_time(f->since)->first;
      return run_export(*config, f->options, context);
    };
  });
}

} // namespace epione::cli
