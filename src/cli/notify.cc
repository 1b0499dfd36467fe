// notify test: sends a sample through a channel, or shows what it would send.
#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

#include "cli/commands.h"
#include "cli/inputs.h"
#include "notify/courier.h"
#include "notify/rendering.h"
#include "notify/sample_event.h"
#include "notify/secrets_fill.h"
#include "runtime/delivery_target.h"
#include "runtime/lookup.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

using value::Map;
using value::Value;

struct Flags {
  std::string channel;
  std::string event_file;
  std::string message;
  bool is_dry = false;
};

// An event as `notifications get -o json` shows it, below `payload.event`, or by itself.
diag::Result<Value> event_of(const Flags& o) {
  std::string text(notify::kSampleEvent);
  if (!o.event_file.empty()) {
    TRY(text, read_file(o.event_file));
  }
  TRY(Value given, value::parse_json(text));
  Value event = given["payload"]["event"].is_map() ? given["payload"]["event"] : given;
  if (!event["type"].is_string() || !event["workflow"].is_map()) {
    return diag::fail(diag::Code::kInvalidManifest,
                      fmt::format("'{}' is no event: it needs `type` and `workflow`; see "
                                  "docs/NOTIFICATIONS-CHANNELS.md",
                                  o.event_file));
  }
  return event;
}

// `--message` is JSON with the fields of a message, or the text of one.
Value message_of(const Flags& o) {
  if (o.message.empty()) return {};
  auto parsed = value::parse_json(o.message);
  return parsed && parsed->is_map() ? *parsed : Value(o.message);
}

/// One attempt after the other; waits for each.
class Sender {
 public:
  explicit Sender(bool refuses_private)
      : courier_(notify::make_courier({.refuses_private = refuses_private},
                                      [this](notify::Report report) { take(std::move(report)); })) {
  }
  notify::Report send(const std::string& id, notify::Request request) {
    courier_->send(id, std::move(request));
    std::unique_lock lock(mutex_);
    has_come_.wait(lock, [this] { return report_.has_value(); });
    return *std::exchange(report_, std::nullopt);
  }

 private:
  void take(notify::Report report) {
    const std::lock_guard lock(mutex_);
    report_ = std::move(report);
    has_come_.notify_one();
  }

  std::mutex mutex_;  // guards the next one
  std::optional<notify::Report> report_;
  std::condition_variable has_come_;
  std::unique_ptr<notify::Courier> courier_;  // last: its thread uses the others
};

void tell(const notify::Report& report, const notify::Verdict& verdict,
          const std::vector<std::string>& secrets, Session& session) {
  const bool is_delivered = verdict.kind == notify::Verdict::Kind::kDelivered;
  const char* word = is_delivered                                    ? "delivered"
                     : verdict.kind == notify::Verdict::Kind::kRetry ? "would be tried again"
                                                                     : "refused";
  print_text(
      fmt::format("{} in {:.1f} ms{}{}\n", word, static_cast<double>(report.latency.ns) / 1e6,
                  report.answer.status == 0 ? "" : fmt::format(", status {}", report.answer.status),
                  is_delivered ? "" : ": " + notify::redacted(verdict.reason, secrets)));
  if (!is_delivered) session.exit_code = 1;
}

diag::Result<void> test(const Flags& o, Session& session) {
  TRY(Opened state, open_state());
  TRY(const Value event, event_of(o));
  const Value message = message_of(o);
  TRY(const runtime::DeliveryTarget target,
      runtime::find_target(*state.store, Map{{"channel", o.channel}}, session.space()));
  const auto lookup = runtime::make_lookup(state.config);
  TRY(const notify::Filled filled,
      notify::fill_secrets(target.config, [&](const std::string& name, const std::string& key) {
        return lookup.secret(session.space(), name, key);
      }));
  std::vector<std::string> secrets = filled.secrets;
  notify::add_literal_secrets(target.kind, target.config, secrets);
  const notify::Notice notice{
      .id = fmt::format("msg_test_{:x}", now().ns), .at = now(), .event = event};
  std::optional<Sender> sender;
  for (const std::string& to : target.how->destinations(target.config, message)) {
    TRY(notify::Request request, target.how->request({.notice = notice,
                                                      .config = filled.config,
                                                      .message = message,
                                                      .destination = to,
                                                      .memory = {},
                                                      .now = now()}));
    notify::add_credentials_of(request, secrets);
    if (!to.empty()) print_text(fmt::format("{}to {}\n", o.is_dry ? "# " : "", to));
    if (o.is_dry) {
      print_text(notify::redacted(notify::rendered(request), secrets));
      continue;
    }
    if (!sender) sender.emplace(state.config.refuses_private);
    notify::Report report = sender->send(notice.id, std::move(request));
    report.answer.body = notify::redacted(std::move(report.answer.body), secrets);
    tell(report, target.how->judge(report.answer, now()), secrets, session);
  }
  return {};
}

}  // namespace

void add_notify_test(Command group, Session& session) {
  auto o = std::make_shared<Flags>();
  const Command command =
      add_command(group, "test", "send a sample through a channel, once and at once", session,
                  [o, &session] { return test(*o, session); });
  command.add_option("CHANNEL", o->channel, "the name of a NotificationChannel").required();
  command.add_option("--event", o->event_file,
                     "a JSON file with the event, or what `notifications get -o json` gave; - is "
                     "stdin; default: a workflow that has failed");
  command.add_option("--message", o->message, "the text, or JSON with the fields of a message");
  command.add_flag("--dry-run", o->is_dry, "show what would be sent, without secrets");
}

void add_notify(Command app, Session& session) {
  add_notify_test(app.add_group("notify", "try channels of notifications"), session);
}

}  // namespace tiphys::cli
