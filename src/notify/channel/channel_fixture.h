// A failed workflow to tell of, and what tests look at in a request.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "notify/channel.h"
#include "notify/channel/fields.h"
#include "notify/channel/kinds.h"
#include "notify/sample_event.h"
#include "value/json.h"

namespace tiphys::notify {

inline value::Value json(std::string_view text) {
  auto parsed = value::parse_json(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : value::Value();
}

/// One notice and the words of the tests; `ask()` gives what a channel makes of it.
struct ChannelTest : testing::Test {
  Notice notice{
      .id = "msg_2x9Zq0cT", .at = {1'795'687'265'000'000'000}, .event = json(kSampleEvent)};
  clock::Instant now{1'795'687'266'500'000'000};

  /// The workflow succeeded instead.
  void succeed() {
    value::Map workflow = notice.event["workflow"].map();
    workflow.set("phase", "Succeeded");
    workflow.erase("message");
    notice.event = value::Map{{"type", "workflow.succeeded"}, {"workflow", workflow}};
  }

  /// The failed step's log or message is this.
  void fail_with(std::string_view member, std::string text) {
    value::Map failure = notice.event["failures"].list().front().map();
    failure.set(std::string(member), std::move(text));
    value::Map event = notice.event.map();
    event.set("failures", value::List{std::move(failure)});
    notice.event = std::move(event);
  }

  [[nodiscard]] diag::Result<Request> try_ask(std::string_view kind, const value::Value& config,
                                              const value::Value& message = {},
                                              std::string_view to = "",
                                              const value::Value& memory = {}) const {
    const Channel* channel = find_channel(kind);
    if (channel == nullptr) return diag::fail(diag::Code::kNotFound, "no such kind");
    return channel->request({.notice = notice,
                             .config = config,
                             .message = message,
                             .destination = to,
                             .memory = memory,
                             .now = now});
  }

  template <typename Kind = HttpRequest>
  Kind ask(std::string_view kind, std::string_view config, std::string_view message = "null",
           std::string_view to = "", std::string_view memory = "null") const {
    auto made = try_ask(kind, json(config), json(message), to, json(memory));
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    if (!made || !std::holds_alternative<Kind>(*made)) return {};
    return std::get<Kind>(*made);
  }

  std::string refusal(std::string_view kind, std::string_view config,
                      std::string_view message = "null", std::string_view to = "") const {
    auto made = try_ask(kind, json(config), json(message), to);
    return made ? "" : made.error().message;
  }

  static std::string problems(std::string_view kind, std::string_view config) {
    std::string out;
    for (const std::string& problem : find_channel(kind)->problems(json(config))) {
      out += out.empty() ? problem : "\n" + problem;
    }
    return out;
  }

  Verdict judge(std::string_view kind, int status, std::string body,
                HeaderList headers = {}) const {
    return find_channel(kind)->judge(
        {.status = status, .headers = std::move(headers), .body = std::move(body), .error = ""},
        now);
  }

  static std::string header(const HttpRequest& request, std::string_view name) {
    for (const auto& [key, text] : request.headers) {
      if (key == name) return text;
    }
    return "";
  }
};

}  // namespace tiphys::notify
