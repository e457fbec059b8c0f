// Completion for bash, without the functions of the package bash-completion: it works wherever it is sourced.
#include "cli/command_tree.hpp"

namespace epione::cli {

namespace {

/// " study import": how the function below names a command. The program itself is "".
std::string key_of(const command_description& c) {
  std::string out;
  for (const auto& word : c.path)
    out += " " + word;
  return out;
}

void append_words(std::string& out, const command_description& c) {
  out += "    '" + key_of(c) + "')\n      words='";
  std::string words;
  for (const auto& below : c.commands)
    words += (words.empty() ? "" : " ") + below.path.back();
  for (const auto& o : c.options)
    if (!o.positional)
      for (const auto& name : o.names)
        words += (words.empty() ? "" : " ") + name;
  out += words + "'\n";
  for (const auto& o : c.options)
    if (o.positional)
      out += "      [[ $cur == -* ]] || { _epione_files; return; }\n";
  out += "      ;;\n";
  for (const auto& below : c.commands)
    append_words(out, below);
}

/// What may follow an option of this command.
void append_values(std::string& out, const command_description& c) {
  std::string any;
  for (const auto& o : c.options) {
    if (o.positional || o.value.empty())
      continue;
    for (const auto& name : o.names) {
      const auto label = "'" + key_of(c) + " " + name + "'";
      if (!o.choices.empty()) {
        std::string words;
        for (const auto& choice : o.choices)
          words += (words.empty() ? "" : " ") + choice;
        out += "    " + label + ")\n      COMPREPLY=($(compgen -W '" + words + "' -- \"$cur\"))\n      return\n      ;;\n";
      } else if (o.value == "DIR" || o.value == "FILE") {
        out += "    " + label + ")\n      _epione_files" + (o.value == "DIR" ? " -d" : "") + "\n      return\n      ;;\n";
      } else {
        any += (any.empty() ? "" : " | ") + label;
      }
    }
  }
  if (!any.empty())
    out += "    " + any + ") return ;;\n"; // whatever it is, it is no other option
  for (const auto& below : c.commands)
    append_values(out, below);
}

void append_paths(std::string& out, const command_description& c) {
  for (const auto& below : c.commands) {
    out += (out.empty() ? "'" : " | '") + key_of(below) + "'";
    append_paths(out, below);
  }
}

} // namespace

std::string bash_completion(const command_description& program) {
  std::string out = "# Completion of epione for bash.\n"
                    "_epione_files() {\n"
                    "  compopt -o filenames 2>/dev/null\n"
                    "  COMPREPLY=($(compgen \"${1:--f}\" -- \"$cur\"))\n"
                    "}\n"
                    "_epione() {\n"
                    "  local IFS=$' \\t\\n' cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} path= words= i\n"
                    "  COMPREPLY=()\n"
                    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
                    "    case \"$path ${COMP_WORDS[i]}\" in\n";
  std::string paths;
  append_paths(paths, program);
  out += "      " + paths + ") path=\"$path ${COMP_WORDS[i]}\" ;;\n";
  out += "    esac\n  done\n  case \"$path $prev\" in\n";
  append_values(out, program);
  out += "  esac\n  case $path in\n";
  append_words(out, program);
  out += "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "}\n"
         "complete -F _epione epione\n";
  return out;
}

} // namespace epione::cli
