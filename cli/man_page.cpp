// roff by hand: a dozen requests of man(7).
#include "cli/command_tree.hpp"

#include <string_view>

namespace epione::cli {

namespace {

/// Text that roff takes as it is.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
      out += std::string{"\\&"} + c;
    else
      out += c;
  }
  return out;
}

std::string full_name(const command_description& c) {
  std::string out = "epione";
  for (const auto& word : c.path)
    out += " " + word;
  return out;
}

void append_option(std::string& out, const option_description& o) {
  out += ".TP\n";
  for (std::size_t i = 0; i < o.names.size(); ++i)
    out += (i > 0 ? ", " : "") + std::string{o.positional ? "\\fI" : "\\fB"} + escaped(o.names[i]) + "\\fR";
  if (!o.positional && !o.value.empty()) {
    std::string choices;
    for (const auto& c : o.choices)
      choices += (choices.empty() ? "" : "|") + c;
    out += " \\fI" + escaped(choices.empty() ? o.value : choices) + "\\fR";
  }
  out += "\n" + escaped(o.text);
  if (!o.standard.empty())
    out += " [default " + escaped(o.standard) + "]";
  out += ".\n";
}

bool has_settings(const command_description& c) {
  for (const auto& o : c.options)
    if (o.setting)
      return true;
  return false;
}

/// Commands that do something, depth first.
void append_commands(std::string& out, const command_description& c) {
  if (!c.path.empty() && c.commands.empty()) {
    out += ".SS \"" + escaped(full_name(c)) + "\"\n" + escaped(c.text) + ".\n";
    for (const auto& o : c.options)
      if (!o.setting)
        append_option(out, o);
    if (has_settings(c))
      out += ".PP\nAnd every flag of \\fBSETTINGS\\fR below.\n";
  }
  for (const auto& below : c.commands)
    append_commands(out, below);
}

const command_description* first_with_settings(const command_description& c) {
  if (has_settings(c))
    return &c;
  for (const auto& below : c.commands)
    if (const auto* found = first_with_settings(below))
      return found;
  return nullptr;
}

constexpr const char* beginning = R"(.SH NAME
epione \- patients' answers in clinical trials, checked, stored and scored
.SH SYNOPSIS
.B epione
.I command
.RI [ option " ...]"
.SH DESCRIPTION
.B epione
is a node and all the commands for it.
Patients answer questionnaires on their phones; the node checks the answers, stores them so that nothing it acknowledged is lost,
scores them, and raises an alert when something is wrong.
It keeps everything in one data directory.
Data goes to standard output, messages to standard error.
.SH COMMANDS
)";

constexpr const char* settings_heading = R"(.SH SETTINGS
Strongest first: a flag, an environment variable (\fBEPIONE_SECTION_KEY\fR), the file named by \fB\-\-config\fR or
\fBEPIONE_CONFIG\fR, the default.
.B epione config show
says what is in force and where it comes from.
)";

constexpr const char* ending = R"(.SH EXIT STATUS
.TP
.B 0
done; of \fBserve\fR: stopped cleanly
.TP
.B 1
failed; the message says why
.TP
.B 2
usage: a flag, a variable or the configuration file is wrong
.TP
.B 3
nobody answers at the other end
.TP
.B 4
the check found problems; of \fBserve\fR: the data is damaged, and it does not start from it
.SH ENVIRONMENT
.TP
.B EPIONE_CONFIG
the configuration file, unless \fB\-\-config\fR names one
.TP
.B EPIONE_SECTION_KEY
a setting: \fBEPIONE_HTTP_PORT\fR is \fBhttp.port\fR
.TP
.B NOTIFY_SOCKET
set by systemd: where \fBserve\fR says that it is ready
.SH FILES
.TP
.I /etc/epione/epione.toml
configuration of the service that the Debian package installs
.TP
.I /var/lib/epione
its data directory
.TP
.I DIR/node.json
address and process of the node that runs on a data directory
.SH EXAMPLES
.nf
epione serve \-\-data\-dir DIR \-\-http 127.0.0.1:8080 \-\-demo
epione study import examples/demo \-\-data\-dir DIR
epione audit verify \-\-data\-dir DIR
epione export \-\-study demo \-\-data\-dir DIR \-\-output demo.csv
.fi
.SH SEE ALSO
.BR systemctl (1),
.BR journalctl (1);
the manual, the pages on metrics, limits, exports and HTTP in
.I /usr/share/doc/epione
)";

} // namespace

std::string man_page(const command_description& program) {
  // Without a date: the same sources give the same bytes.
  std::string out = ".TH EPIONE 1 \"\" \"epione " EPIONE_VERSION "\" \"User Commands\"\n.nh\n.ad l\n";
  out += beginning;
  append_commands(out, program);
  out += ".SS \"every command\"\n";
  for (const auto& o : program.options)
    append_option(out, o);
  if (const auto* command = first_with_settings(program)) {
    out += settings_heading;
    for (const auto& o : command->options)
      if (o.setting)
        append_option(out, o);
  }
  return out + ending;
}

} // namespace epione::cli
