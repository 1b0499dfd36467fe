#include "executor/plugin_call.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include "clock/go_duration.h"
#include "value/json.h"

namespace tiphys::executor {
namespace {

constexpr std::size_t kAnswerMax = 16U << 20U;

std::size_t append(char* data, std::size_t size, std::size_t count, void* text) {
  auto& answer = *static_cast<std::string*>(text);
  if (answer.size() + size * count > kAnswerMax) return 0;
  answer.append(data, size * count);
  return size * count;
}

PluginAnswer failure(PluginAnswer::Kind kind, std::string text) {
  PluginAnswer answer;
  answer.kind = kind;
  answer.text = std::move(text);
  return answer;
}

}  // namespace

PluginAnswer plugin_answer(long status, std::string_view body) {
  using Kind = PluginAnswer::Kind;
  if (status == 404) return failure(Kind::kUnsupported, "");
  if (status == 503) return failure(Kind::kTransient, std::string(body));
  if (status != 200) return failure(Kind::kFailed, fmt::format("{}: {}", status, body));
  const auto reply = value::parse_json(body);
  if (!reply || !reply->is_map()) return failure(Kind::kFailed, "the answer is no JSON object");
  if (!(*reply)["node"].is_map()) return {};
  PluginAnswer answer;
  answer.kind = Kind::kNode;
  answer.node = (*reply)["node"];
  if (const std::string_view text = (*reply)["requeue"].string_or(""); !text.empty()) {
    const auto requeue = clock::parse_go_duration(text);
    if (!requeue) return failure(Kind::kFailed, "requeue: " + requeue.error().message);
    answer.requeue = *requeue;
  }
  return answer;
}

PluginAnswer call_plugin(const PluginCall& call) {
  CURL* const easy = curl_easy_init();
  curl_slist* lines = nullptr;
  const std::string url = call.address + "/api/v1/template.execute";
  const std::string bearer = "Authorization: Bearer " + call.token;
  for (const char* line : {"Content-Type: application/json", bearer.c_str(), "Expect:"}) {
    lines = curl_slist_append(lines, line);
  }
  std::string body;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lines);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout.ns / 1'000'000));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call.body.data());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &append);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
  const CURLcode code = curl_easy_perform(easy);
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup(easy);
  curl_slist_free_all(lines);
  if (code == CURLE_OK) return plugin_answer(status, body);
  return failure(PluginAnswer::Kind::kTransient,
                 fmt::format("Post \"{}\": {}", url, curl_easy_strerror(code)));
}

}  // namespace tiphys::executor
