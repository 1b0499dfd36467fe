#include "resource/command.h"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "spec/yaml_reader.h"
#include "value/json.h"

namespace tiphys::resource {
namespace {

using value::List;
using value::Map;
using value::Value;

std::unexpected<diag::Error> wrong(std::string message) {
  return diag::fail(diag::Code::kInvalidManifest, std::move(message));
}

std::unexpected<diag::Error> refused(std::string_view text) { return wrong(kubectl_error(text)); }

std::optional<Action> action_of(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, Action>, 6> kActions = {{
      {"get", Action::kGet},
      {"create", Action::kCreate},
      {"apply", Action::kApply},
      {"replace", Action::kReplace},
      {"patch", Action::kPatch},
      {"delete", Action::kDelete},
  }};
  for (const auto& [name, action] : kActions) {
    if (name == word) return action;
  }
  return std::nullopt;
}

bool is_writing(Action action) {
  return action == Action::kCreate || action == Action::kApply || action == Action::kReplace;
}

/// Reads the flags, and the words between them.
class FlagReader {
 public:
  FlagReader(const List& flags, Command& command) : flags_(flags), command_(command) {}

  diag::Result<void> read() {
    for (; at_ < flags_.size(); ++at_) {
      const std::string_view flag = flags_[at_].string_or("");
      if (flag.starts_with("-") && flag.size() > 1) {
        TRY_VOID(read_flag(flag));
      } else {
        words_.emplace_back(flag);
      }
    }
    return {};
  }
  [[nodiscard]] const std::vector<std::string>& words() const { return words_; }

 private:
  struct Flag {
    std::string name;
    std::optional<std::string> value;
  };

  static Flag split(std::string_view flag) {
    if (flag.starts_with("--")) {
      const std::size_t equals = flag.find('=');
      if (equals == std::string_view::npos) return {std::string(flag), std::nullopt};
      return {std::string(flag.substr(0, equals)), std::string(flag.substr(equals + 1))};
    }
    Flag one{std::string(flag.substr(0, 2)), std::nullopt};
    std::string_view rest = flag.substr(2);
    if (rest.starts_with('=')) rest.remove_prefix(1);
    if (flag.size() > 2) one.value = std::string(rest);
    return one;
  }

  diag::Result<std::string> value_of(const Flag& flag) {
    if (flag.value) return *flag.value;
    if (at_ + 1 == flags_.size()) return refused("error: flag needs an argument: " + flag.name);
    return std::string(flags_[++at_].string_or(""));
  }

  diag::Result<bool> bool_of(const Flag& flag) const {
    if (!flag.value || *flag.value == "true" || *flag.value == "1") return true;
    if (*flag.value == "false" || *flag.value == "0") return false;
    return refused(fmt::format("error: invalid argument \"{}\" for \"{}\" flag: want true or false",
                               *flag.value, flag.name));
  }

  diag::Result<void> read_flag(std::string_view text) {
    const Flag flag = split(text);
    const std::string& name = flag.name;
    if (name == "-n" || name == "--namespace") return take(flag, command_.name_space);
    if (name == "-l" || name == "--selector") return take(flag, command_.selector);
    if (name == "--field-manager") return take(flag, command_.field_manager);
    if (name == "--all") return take_bool(flag, command_.is_all);
    if (name == "--ignore-not-found") return take_bool(flag, command_.is_missing_fine);
    if (name == "--wait") return take_bool(flag, command_.waits);
    if (name == "--validate") return read_validation(flag);
    if (name == "--dry-run") return read_dry_run(flag);
    if (name == "--cascade") return read_cascade(flag);
    if (name == "--grace-period") return read_grace(flag);
    if (name == "--now") {
      command_.grace_seconds = 1;
      return {};
    }
    if (name == "--force") return read_force(flag);
    // A server-side apply is what is done in any case.
    if (name == "--server-side" || name == "--force-conflicts" || name == "--save-config" ||
        name == "--overwrite" || name == "--record") {
      bool is_wanted = true;
      return take_bool(flag, is_wanted);
    }
    return refused("error: unknown flag: " + name);
  }

  diag::Result<void> take(const Flag& flag, std::string& into) {
    TRY(into, value_of(flag));
    return {};
  }

  diag::Result<void> take_bool(const Flag& flag, bool& into) const {
    TRY(into, bool_of(flag));
    return {};
  }

  diag::Result<void> read_validation(const Flag& flag) {
    const std::string word = flag.value.value_or("true");
    if (word == "false" || word == "ignore") {
      command_.validation = "Ignore";
    } else if (word == "warn") {
      command_.validation = "Warn";
    } else if (word != "true" && word != "strict") {
      return refused(fmt::format(
          "error: invalid - validate option \"{}\"; must be one of: strict (or true), warn, "
          "ignore (or false)",
          word));
    }
    return {};
  }

  diag::Result<void> read_dry_run(const Flag& flag) {
    const std::string word = flag.value.value_or("client");
    if (word != "client" && word != "server" && word != "none") {
      return refused(fmt::format(
          "error: Invalid dry-run value ({}). Must be \"none\", \"server\", or \"client\".", word));
    }
    command_.is_dry = word != "none";
    return {};
  }

  diag::Result<void> read_cascade(const Flag& flag) {
    const std::string word = flag.value.value_or("background");
    if (word == "background" || word == "true") {
      command_.propagation = "Background";
    } else if (word == "foreground") {
      command_.propagation = "Foreground";
    } else if (word == "orphan" || word == "false") {
      command_.propagation = "Orphan";
    } else {
      return refused(fmt::format(
          "error: invalid cascade value ({}). Must be \"background\", \"foreground\", or "
          "\"orphan\"",
          word));
    }
    return {};
  }

  diag::Result<void> read_grace(const Flag& flag) {
    TRY(const std::string text, value_of(flag));
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size()) {
      return refused(fmt::format(
          "error: invalid argument \"{}\" for \"--grace-period\" flag: want a number", text));
    }
    if (seconds >= 0) command_.grace_seconds = seconds;
    return {};
  }

  diag::Result<void> read_force(const Flag& flag) {
    TRY(const bool is_forced, bool_of(flag));
    if (is_forced && command_.action == Action::kDelete) command_.grace_seconds = 0;
    return {};
  }

  const List& flags_;
  Command& command_;
  std::size_t at_ = 0;
  std::vector<std::string> words_;
};

// The documents of a text; several in one file stand between lines of `---`.
diag::Result<std::vector<Value>> documents_of(std::string_view text) {
  std::vector<Value> documents;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    std::size_t end = text.find("\n---", begin);
    end = end == std::string_view::npos ? text.size() : end + 1;
    auto read = spec::read_yaml(text.substr(begin, end - begin), {.file = "", .is_strict = false});
    if (!read) {
      return refused(
          fmt::format("error: error parsing /tmp/manifest.yaml: error converting YAML "
                      "to JSON: {}",
                      read.error().message));
    }
    if (!read->value.is_null()) documents.push_back(std::move(read->value));
    begin = end == text.size() ? end + 1 : std::min(text.find('\n', end), text.size());
  }
  return documents;
}

diag::Result<void> check_object(const Command& command, const Value& object) {
  const bool has_version = !object["apiVersion"].string_or("").empty();
  const bool has_kind = !object["kind"].string_or("").empty();
  if (has_version && has_kind) return {};
  if (is_writing(command.action) && command.validation == "Strict") {
    return refused(fmt::format(
        "error: error validating \"/tmp/manifest.yaml\": error validating data: {}; if you choose "
        "to ignore these errors, turn validation off with --validate=false",
        has_kind      ? "apiVersion not set"
        : has_version ? "kind not set"
                      : "[apiVersion not set, kind not set]"));
  }
  return refused(fmt::format(
      "error: unable to decode \"/tmp/manifest.yaml\": Object '{}' is "
      "missing in '{}'",
      has_kind ? "apiVersion" : "Kind", value::to_json(object, {.escape_html = false})));
}

// `pod a b`, `pod/a configmap/b`, `pods --selector x`.
diag::Result<void> take_words(Command& command, const std::vector<std::string>& words) {
  if (words.empty()) return {};
  if (words.front().find('/') != std::string::npos) {
    for (const std::string& word : words) {
      const std::size_t slash = word.find('/');
      if (slash == std::string::npos || slash == 0 || slash + 1 == word.size()) {
        return refused(
            "error: there is no need to specify a resource type as a separate argument when "
            "passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' "
            "instead of 'kubectl get resource resource/<resource_name>'");
      }
      command.targets.push_back({.word = word.substr(0, slash), .name = word.substr(slash + 1)});
    }
    return {};
  }
  for (std::size_t i = 1; i < words.size(); ++i) {
    command.targets.push_back({.word = words.front(), .name = words[i]});
  }
  if (words.size() > 1) return {};
  const bool lists = command.action == Action::kGet;
  if (!lists && !command.is_all && command.selector.empty()) {
    return refused("error: resource(s) were provided, but no name was specified");
  }
  command.targets.push_back({.word = words.front()});
  return {};
}

diag::Result<void> read_patch(const Value& resource, std::string_view manifest, Command& command) {
  const std::string_view strategy = resource["mergeStrategy"].string_or("");
  command.patch_type = strategy == "json"    ? "application/json-patch+json"
                       : strategy == "merge" ? "application/merge-patch+json"
                                             : "application/strategic-merge-patch+json";
  auto read = spec::read_yaml(manifest, {.file = "", .is_strict = false});
  if (!read) return refused("error: unable to parse the patch: " + read.error().message);
  command.patch = value::to_json(read->value, {.escape_html = false});
  const bool is_named = !command.targets.empty();
  if (strategy == "json" || (is_named && read->value["kind"].is_null())) {
    if (is_named) return {};
    return refused("error: must specify one of -f and -k");
  }
  if (is_named) {
    return refused(
        "error: when paths, URLs, or stdin is provided as input, you may not specify "
        "resource arguments as well");
  }
  TRY_VOID(check_object(command, read->value));
  command.targets.push_back({.manifest = read->value});
  return {};
}

}  // namespace

std::string_view Target::title() const {
  return manifest.is_null() ? std::string_view(name) : manifest["metadata"]["name"].string_or("");
}

std::string kubectl_error(std::string_view text) { return fmt::format("no more retries {}", text); }

diag::Result<Command> read_command(const Value& resource, std::string_view manifest) {
  Command command;
  const auto action = action_of(resource["action"].string_or(""));
  if (!action) {
    return wrong(
        fmt::format("unknown action '{}': want get, create, apply, delete, replace or "
                    "patch",
                    resource["action"].string_or("")));
  }
  command.action = *action;
  command.is_missing_fine = command.action == Action::kDelete;
  const List& flags = resource["flags"].list();
  if (manifest.empty() && flags.empty()) {
    return wrong("Must provide at least one of flags or manifest.");
  }
  FlagReader reader(flags, command);
  TRY_VOID(reader.read());
  TRY_VOID(take_words(command, reader.words()));
  if (command.action == Action::kPatch) {
    TRY_VOID(read_patch(resource, manifest, command));
  } else if (!manifest.empty()) {
    TRY(const std::vector<Value> documents, documents_of(manifest));
    if (documents.empty())
      return refused("error: no objects passed to " +
                     std::string(resource["action"].string_or("")));
    if (!command.targets.empty()) {
      return refused(
          "error: when paths, URLs, or stdin is provided as input, you may not specify "
          "resource arguments as well");
    }
    for (const Value& object : documents) {
      TRY_VOID(check_object(command, object));
      command.targets.push_back({.manifest = object});
    }
  }
  if (command.targets.empty()) {
    return refused("error: must specify one of -f and -k");
  }
  // Argo reads one object from what kubectl prints.
  if (command.action != Action::kDelete && command.targets.size() > 1) {
    return wrong(fmt::format("a resource template takes one object, and here are {}",
                             command.targets.size()));
  }
  return command;
}

}  // namespace tiphys::resource
