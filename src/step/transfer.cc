#include "step/transfer.h"

#include <algorithm>
#include <charconv>

namespace tiphys::step {
namespace {

void put(std::string& out, std::string_view word, std::string_view text) {
  out.append(word).append(" ").append(text).append("\n");
}

int number_of(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void take(Transfer& to, std::string_view word, std::string_view text) {
  if (word == "artifact") to.artifact = text;
  if (word == "path") to.path = text;
  if (word == "url") to.url = text;
  if (word == "header") to.headers.emplace_back(text);
  if (word == "archive") to.is_archive = true;
  if (word == "level") to.level = number_of(text);
  if (word == "mode") to.mode = number_of(text);
  if (word == "mode-for-all") to.is_mode_for_all = true;
  if (word == "trusted") to.trusted = number_of(text);
}

}  // namespace

std::string encode_transfer(const Transfer& transfer) {
  std::string out;
  put(out, "artifact", transfer.artifact);
  put(out, "path", transfer.path);
  put(out, "url", transfer.url);
  for (const std::string& header : transfer.headers) put(out, "header", header);
  if (transfer.is_archive) put(out, "archive", "");
  if (transfer.level != 0) put(out, "level", std::to_string(transfer.level));
  if (transfer.mode >= 0) put(out, "mode", std::to_string(transfer.mode));
  if (transfer.is_mode_for_all) put(out, "mode-for-all", "");
  if (transfer.trusted >= 0) put(out, "trusted", std::to_string(transfer.trusted));
  return out;
}

diag::Result<Transfer> decode_transfer(std::string_view text) {
  Transfer transfer;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) break;
    take(transfer, line.substr(0, blank), line.substr(blank + 1));
  }
  if (transfer.url.empty() || transfer.path.empty()) {
    return diag::fail(diag::Code::kInvalidManifest, "a transfer has no address or no path");
  }
  return transfer;
}

std::string server_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t from = scheme == std::string_view::npos ? 0 : scheme + 3;
  return std::string(url.substr(0, url.find_first_of("/?", from)));
}

}  // namespace tiphys::step
