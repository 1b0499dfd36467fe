#include <fmt/format.h>

#include "cli/commands.h"

namespace tiphys::cli {

namespace {

std::string words_of(const Command& app) {
  std::string words;
  for (const Command& sub : app.commands()) words += (words.empty() ? "" : " ") + sub.name();
  return words;
}

// One case for each command that has commands below it.
std::string nested(const Command& app, const char* format) {
  std::string text;
  for (const Command& sub : app.commands()) {
    const std::string words = words_of(sub);
    if (!words.empty()) text += fmt::format(fmt::runtime(format), sub.name(), words);
  }
  return text;
}

std::string flags_of(const Command& command) {
  std::string flags;
  for (const std::string& name : command.long_flags()) flags += fmt::format(" --{}", name);
  return flags.empty() ? flags : flags.substr(1);
}

// One case for each command, with its flags and those of all commands.
std::string flag_cases(const Command& app) {
  std::string text;
  for (const Command& sub : app.commands()) {
    std::string flags = flags_of(sub) + " " + flags_of(app);
    for (const Command& inner : sub.commands()) flags += " " + flags_of(inner);
    text += fmt::format("      {}) COMPREPLY=($(compgen -W \"{}\" -- \"$cur\")) ;;\n", sub.name(),
                        flags);
  }
  return text;
}

constexpr const char* kTakeNames =
    "get logs wait watch stop terminate suspend resume retry resubmit delete pods";

std::string bash(const Command& app) {
  return fmt::format(
      "_tiphys() {{\n"
      "  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then COMPREPLY=($(compgen -W \"{}\" -- \"$cur\")); return; "
      "fi\n"
      "  if [[ $cur == -* ]]; then\n"
      "    case ${{COMP_WORDS[1]}} in\n{}    esac\n    return\n"
      "  fi\n"
      "  case ${{COMP_WORDS[1]}} in\n{}"
      "    get|logs|wait|watch|stop|terminate|suspend|resume|retry|resubmit|delete|pods)\n"
      "      COMPREPLY=($(compgen -W \"$(tiphys list -o name 2>/dev/null)\" -- \"$cur\")) ;;\n"
      "    *) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
      "  esac\n"
      "}}\n"
      "complete -o default -F _tiphys tiphys\n",
      words_of(app), flag_cases(app),
      nested(app, "    {}) COMPREPLY=($(compgen -W \"{}\" -- \"$cur\")) ;;\n"));
}

std::string zsh(const Command& app) {
  return "#compdef tiphys\nautoload -U +X bashcompinit && bashcompinit\n" + bash(app);
}

std::string fish(const Command& app) {
  std::string text;
  for (const Command& sub : app.commands()) {
    text += fmt::format("complete -c tiphys -n __fish_use_subcommand -f -a {} -d '{}'\n",
                        sub.name(), sub.description());
  }
  for (const Command& sub : app.commands()) {
    for (const std::string& name : sub.long_flags()) {
      text += fmt::format("complete -c tiphys -n '__fish_seen_subcommand_from {}' -l {}\n",
                          sub.name(), name);
    }
  }
  text += fmt::format(
      "complete -c tiphys -n '__fish_seen_subcommand_from {}' -f -a '(tiphys list -o name "
      "2>/dev/null)'\n",
      kTakeNames);
  return text + nested(app, "complete -c tiphys -n '__fish_seen_subcommand_from {}' -f -a '{}'\n");
}

}  // namespace

void add_completion(Command app, Session& session) {
  auto shell = std::make_shared<std::string>();
  const Command command = add_command(
      app, "completion", "print the completion script of a shell", session,
      [shell, app]() -> diag::Result<void> {
        if (*shell == "bash") {
          print_text(bash(app));
        } else if (*shell == "zsh") {
          print_text(zsh(app));
        } else if (*shell == "fish") {
          print_text(fish(app));
        } else {
          return diag::fail(diag::Code::kInvalidManifest,
                            fmt::format("unknown shell '{}': want bash, zsh or fish", *shell));
        }
        return {};
      });
  command.add_option("SHELL", *shell, "bash, zsh or fish").required();
}

}  // namespace tiphys::cli
