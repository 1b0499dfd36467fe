#include <algorithm>

#include <fmt/format.h>

#include "clock/rfc3339.h"
#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"

namespace tiphys::notify {

namespace {

constexpr Field kConfig[] = {
    {"command", FieldKind::kList, true},
    {"env", FieldKind::kTextMap},
};
constexpr Field kMessage[] = {{"args", FieldKind::kList}, {"input", FieldKind::kAny}};

// Exit codes with which no later attempt can end otherwise: of sysexits.h (usage, data, permission,
// configuration) and of shells (cannot be run, not found).
constexpr int kFinal[] = {64, 65, 77, 78, 126, 127};

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

bool is_variable_name(std::string_view name) {
  return !name.empty() && name.find('=') == std::string_view::npos && !has_nul(name);
}

diag::Result<void> add_arguments(const value::Value& list, std::string_view field,
                                 CommandRequest& out) {
  for (const value::Value& item : list.list()) {
    std::string text = plain_text(item);
    if (has_nul(text)) return refuse(fmt::format("{}: an argument has a NUL byte", field));
    out.arguments.push_back(std::move(text));
  }
  return {};
}

void add_facts(const Notice& notice, const Words& words, CommandRequest& out) {
  const value::Value& event = notice.event;
  const value::Value& workflow = event["workflow"];
  const auto add = [&](std::string name, std::string text) {
    std::erase(text, '\0');
    out.environment.emplace_back(std::move(name), std::move(text));
  };
  add("TIPHYS_EVENT_ID", notice.id);
  add("TIPHYS_EVENT_TYPE", plain_text(event["type"]));
  add("TIPHYS_WORKFLOW_NAME", plain_text(workflow["name"]));
  add("TIPHYS_WORKFLOW_NAMESPACE", plain_text(workflow["namespace"]));
  add("TIPHYS_WORKFLOW_UID", plain_text(workflow["uid"]));
  add("TIPHYS_WORKFLOW_PHASE", plain_text(workflow["phase"]));
  add("TIPHYS_TITLE", words.title);
  add("TIPHYS_TEXT", words.text);
}

class Command final : public FieldChannel {
 public:
  Command() : FieldChannel(kConfig, kMessage) {}

  [[nodiscard]] Verdict judge(const Answer& answer, clock::Instant) const override {
    if (answer.error.empty() && answer.status == 0) return {};
    const bool is_final =
        answer.error.empty() && std::ranges::find(kFinal, answer.status) != std::end(kFinal);
    constexpr std::size_t kShown = 200;
    std::string reason = answer.error.empty() ? fmt::format("exit code {}", answer.status)
                                              : clean_line(answer.error);
    if (const std::string said = fit_text(clean_line(answer.body), {kShown}); !said.empty()) {
      reason += ": " + said;
    }
    return {.kind = is_final ? Verdict::Kind::kRefused : Verdict::Kind::kRetry,
            .reason = std::move(reason)};
  }

 private:
  void find_problems(const value::Value& config, std::vector<std::string>& out) const override {
    const value::List& words = config["command"].list();
    const bool is_given = config["command"].is_list();
    if (is_given && (words.empty() || plain_text(words.front()).empty())) {
      out.emplace_back("command: want a program");
    }
    const bool all_plain = std::ranges::all_of(
        words, [](const value::Value& w) { return !w.is_map() && !w.is_list() && !w.is_null(); });
    // what `ps` shows must not be secret
    if (!all_plain) out.emplace_back("command: want texts; give secrets by env");
    for (const auto& entry : config["env"].map()) {
      if (!is_variable_name(entry.first)) {
        out.push_back(fmt::format("env: \"{}\" is no name of a variable", clean_line(entry.first)));
      }
    }
  }

  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    CommandRequest out;
    TRY_VOID(add_arguments(draft.config["command"], "command", out));
    TRY_VOID(add_arguments(draft.message["args"], "message.args", out));
    add_facts(draft.notice, words_of(draft.notice, draft.message), out);
    for (const auto& [name, text] : draft.config["env"].map()) {
      std::string content = plain_text(text);
      if (has_nul(content)) return refuse(fmt::format("env: {} has a NUL byte", name));
      out.environment.emplace_back(name, std::move(content));
    }
    const value::Value& own = draft.message["input"];
    if (own.is_string()) {
      out.input = own.as_string();
    } else if (!own.is_null()) {
      out.input = json_body(own);
    } else {
      value::Map event = {{"id", draft.notice.id}, {"time", clock::rfc3339(draft.notice.at)}};
      for (const auto& [name, v] : draft.notice.event.map()) event.set(name, v);
      out.input = json_body(event);
    }
    return out;
  }
};

}  // namespace

const Channel& command_channel() {
  static const Command channel;
  return channel;
}

}  // namespace tiphys::notify
