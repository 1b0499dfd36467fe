#include <algorithm>

#include <fmt/format.h>

#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"

namespace tiphys::notify {

namespace {

constexpr Field kConfig[] = {
    {"token", FieldKind::kText, true}, {"repo", FieldKind::kPlain},
    {"sha", FieldKind::kPlain},        {"context", FieldKind::kPlain},
    {"apiUrl", FieldKind::kUrl},       {"insecureSkipVerify", FieldKind::kBool},
};
constexpr Field kMessage[] = {
    {"repo", FieldKind::kPlain},
    {"sha", FieldKind::kPlain},
    {"context", FieldKind::kPlain},
    {"state", FieldKind::kPlain, false, "error failure pending success"},
};

constexpr std::string_view kApi = "https://api.github.com";
constexpr std::size_t kDescriptionMax = 140;  // GitHub's limit, in characters
constexpr std::size_t kContextMax = 255;

bool is_word(std::string_view text) {
  return !text.empty() && text != "." && text != ".." && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  });
}

// `owner/name`
bool is_repo(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && is_word(text.substr(0, slash)) &&
         is_word(text.substr(slash + 1));
}

// GitHub's API takes whole ids only: 40 digits, or 64 of SHA-256.
bool is_sha(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

std::string_view state_of(std::string_view phase) {
  if (phase == "Succeeded") return "success";
  if (phase == "Failed") return "failure";
  if (phase == "Error") return "error";
  return "pending";
}

std::string field_of(const Draft& draft, std::string_view name) {
  std::string own = text_in(draft.message, name);
  return own.empty() ? text_in(draft.config, name) : own;
}

class GitHub final : public FieldChannel {
 public:
  GitHub() : FieldChannel(kConfig, kMessage) {}

  [[nodiscard]] Verdict judge(const Answer& answer, clock::Instant now) const override {
    Verdict verdict = judge_http(answer, now);
    if (answer.status != 403) return verdict;
    // GitHub's limits of rates are 403, too: then it says when to come again, or that none are left
    const bool is_limit = std::ranges::any_of(answer.headers, [](const auto& header) {
      return header.first == "retry-after" ||
             (header.first == "x-ratelimit-remaining" && header.second == "0");
    });
    if (!is_limit) return verdict;
    Answer as_429 = answer;
    as_429.status = 429;
    Verdict retry = judge_http(as_429, now);
    retry.reason = std::move(verdict.reason);
    if (!retry.retry_after) retry.retry_after = clock::Duration::seconds(60);
    return retry;
  }

 private:
  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    const std::string repo = field_of(draft, "repo");
    const std::string sha = field_of(draft, "sha");
    if (!is_repo(repo)) return refuse("repo: want OWNER/NAME");
    if (!is_sha(sha)) return refuse("sha: want the 40 digits of a commit");
    const std::string token = text_in(draft.config, "token");
    if (!is_header_text(token)) return refuse("token: has a line break or control character");
    const Words words = words_of(draft.notice, draft.message);
    const value::Value& event = draft.notice.event;
    const value::Value& subject = event["node"].is_map() ? event["node"] : event["workflow"];
    std::string state = text_in(draft.message, "state");
    if (state.empty()) state = state_of(subject["phase"].string_or(""));
    std::string context = field_of(draft, "context");
    if (context.empty()) context = "tiphys";
    value::Map body = {{"state", state}};
    set_text(body, "target_url",
             words.link.empty() ? plain_text(event["workflow"]["url"]) : words.link);
    body.set("description", fit_text(clean_line(words.title.empty() ? words.text : words.title),
                                     {kDescriptionMax, TextLimit::Unit::kUtf16}));
    body.set("context", fit_text(clean_line(context), {kContextMax}));
    std::string api = text_in(draft.config, "apiUrl");
    if (api.empty()) api = kApi;
    HttpRequest out = json_post(
        draft.config, fmt::format("{}/repos/{}/statuses/{}", api, repo, sha), json_body(body));
    out.headers.emplace_back("Accept", "application/vnd.github+json");
    out.headers.emplace_back("X-GitHub-Api-Version", "2022-11-28");
    out.headers.emplace_back("Authorization", "Bearer " + token);
    return out;
  }
};

}  // namespace

const Channel& github_channel() {
  static const GitHub channel;
  return channel;
}

}  // namespace tiphys::notify
