#include "step/report.h"

#include <charconv>
#include <utility>

#include "expr/base64.h"

namespace tiphys::step {
namespace {

constexpr std::string_view kFirstLine = "tiphys 1\n";
constexpr std::string_view kLastLine = "end\n";
constexpr std::string_view kInLog = "log ";
constexpr std::string_view kMark = "#tiphys-step ";
constexpr std::string_view kProgress = "progress ";
constexpr std::size_t kLineBytes = 9000;  // 12,000 in base64; container runtimes split at 16 KiB

void put(std::string& out, std::string_view word, std::int64_t number) {
  out.append(word).append(" ").append(std::to_string(number)).append("\n");
}

void put_text(std::string& out, std::string_view word, std::string_view text) {
  put(out, word, static_cast<std::int64_t>(text.size()));
  out.append(text).append("\n");
}

void put_file(std::string& out, const FileEntry& file) {
  static constexpr std::string_view kWords[] = {"file", "folder", "link"};
  out.append(kWords[static_cast<std::size_t>(file.kind)]);
  out.append(" ").append(std::to_string(file.mode));
  out.append(" ").append(std::to_string(file.path.size()));
  put(out, "", static_cast<std::int64_t>(file.text.size()));
  out.append(file.path).append(file.text).append("\n");
}

/// Takes records off a text; after a fault ok() is false and everything is empty.
class Records {
 public:
  explicit Records(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  std::string_view word() { return until(' '); }
  std::int64_t number(char end) {
    const std::string_view digits = until(end);
    std::int64_t n = 0;
    const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (error != std::errc() || last != digits.data() + digits.size()) fail();
    return n;
  }
  std::string bytes(std::int64_t size) {
    if (size < 0 || static_cast<std::uint64_t>(size) > rest_.size()) return fail(), std::string();
    std::string taken(rest_.substr(0, static_cast<std::size_t>(size)));
    rest_.remove_prefix(static_cast<std::size_t>(size));
    return taken;
  }
  void end_of_record() {
    if (!rest_.starts_with('\n')) return fail();
    rest_.remove_prefix(1);
  }
  void fail() {
    ok_ = false;
    rest_ = {};
  }

 private:
  std::string_view until(char end) {
    const std::size_t at = rest_.find(end);
    if (at == std::string_view::npos) return fail(), std::string_view();
    const std::string_view taken = rest_.substr(0, at);
    rest_.remove_prefix(at + 1);
    return taken;
  }

  std::string_view rest_;
  bool ok_ = true;
};

FileEntry take_file(Records& records, FileEntry::Kind kind) {
  FileEntry file{.kind = kind, .path = {}};
  file.mode = static_cast<unsigned>(records.number(' ')) & 07777U;
  const std::int64_t path_size = records.number(' ');
  const std::int64_t text_size = records.number('\n');
  file.path = records.bytes(path_size);
  file.text = records.bytes(text_size);
  records.end_of_record();
  return file;
}

bool take_file_record(Records& records, std::string_view word, std::vector<FileEntry>& files) {
  if (word == "file") {
    files.push_back(take_file(records, FileEntry::Kind::kFile));
  } else if (word == "folder") {
    files.push_back(take_file(records, FileEntry::Kind::kFolder));
  } else if (word == "link") {
    files.push_back(take_file(records, FileEntry::Kind::kLink));
  } else {
    return false;
  }
  return true;
}

void take_record(Records& records, Report& report) {
  const std::string word(records.word());
  if (take_file_record(records, word, report.files)) return;
  const std::int64_t number = records.number('\n');
  if (word == "exit") {
    report.exit_code = static_cast<int>(number);
  } else if (word == "not-started") {
    report.exec_error = static_cast<int>(number);
  } else if (word == "started") {
    report.started_at = number;
  } else if (word == "finished") {
    report.finished_at = number;
  } else {
    std::string text = records.bytes(number);
    records.end_of_record();
    if (word == "result") {
      report.result = std::move(text);
    } else if (word == "message") {
      report.message = std::move(text);
    } else if (word == "problem") {
      report.problem = std::move(text);
    } else if (word == "sent") {
      report.sent.push_back(std::move(text));
    } else {
      records.fail();
    }
  }
}

std::unexpected<diag::Error> damaged() {
  return diag::fail(diag::Code::kInvalidManifest, "the report of tiphys-step cannot be read");
}

}  // namespace

std::string encode(const Report& report) {
  std::string out(kFirstLine);
  put(out, "exit", report.exit_code);
  if (report.exec_error != 0) put(out, "not-started", report.exec_error);
  if (report.started_at != 0) put(out, "started", report.started_at);
  if (report.finished_at != 0) put(out, "finished", report.finished_at);
  if (report.result) put_text(out, "result", *report.result);
  if (!report.message.empty()) put_text(out, "message", report.message);
  if (!report.problem.empty()) put_text(out, "problem", report.problem);
  for (const std::string& artifact : report.sent) put_text(out, "sent", artifact);
  for (const FileEntry& file : report.files) put_file(out, file);
  return out.append(kLastLine);
}

diag::Result<Report> decode(std::string_view text) {
  if (!text.starts_with(kFirstLine) || !text.ends_with(kLastLine)) return damaged();
  Report report;
  text.remove_suffix(kLastLine.size());
  Records records(text.substr(kFirstLine.size()));
  while (!records.at_end()) take_record(records, report);
  if (!records.ok()) return damaged();
  return report;
}

std::string encode_files(const std::vector<FileEntry>& files) {
  std::string out;
  for (const FileEntry& file : files) put_file(out, file);
  return out;
}

diag::Result<std::vector<FileEntry>> decode_files(std::string_view text) {
  std::vector<FileEntry> files;
  Records records(text);
  while (!records.at_end()) {
    const std::string word(records.word());
    if (!take_file_record(records, word, files)) records.fail();
  }
  if (!records.ok()) return damaged();
  return files;
}

std::vector<std::string> log_lines(std::string_view text, std::string_view nonce) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, kLineBytes);
    text.remove_prefix(part.size());
    std::string line(kMark);
    lines.push_back(line.append(nonce).append(" ").append(expr::base64_encode(part)));
  }
  return lines;
}

std::string progress_line(std::string_view progress, std::string_view nonce) {
  std::string line(kMark);
  return line.append(nonce).append(" ").append(kProgress).append(progress);
}

std::string log_notice(std::size_t lines) {
  std::string text(kFirstLine);
  put(text, kInLog.substr(0, kInLog.size() - 1), static_cast<std::int64_t>(lines));
  return text;
}

std::optional<std::size_t> lines_in_log(std::string_view message) {
  if (!message.starts_with(kFirstLine)) return std::nullopt;
  message.remove_prefix(kFirstLine.size());
  if (!message.starts_with(kInLog)) return std::nullopt;
  message.remove_prefix(kInLog.size());
  std::size_t lines = 0;
  if (std::from_chars(message.data(), message.data() + message.size(), lines).ec != std::errc()) {
    return std::nullopt;
  }
  return lines;
}

std::optional<Marked> marked(std::string_view line, std::string_view nonce) {
  if (!line.starts_with(kMark)) return std::nullopt;
  line.remove_prefix(kMark.size());
  if (!line.starts_with(nonce)) return std::nullopt;
  line.remove_prefix(nonce.size());
  if (!line.starts_with(' ')) return std::nullopt;
  line.remove_prefix(1);
  if (line.starts_with(kProgress)) {
    return Marked{.kind = Marked::Kind::kProgress,
                  .text = std::string(line.substr(kProgress.size()))};
  }
  auto text = expr::base64_decode(line);
  if (!text) return std::nullopt;
  return Marked{.kind = Marked::Kind::kReport, .text = std::move(*text)};
}

bool is_utf8(std::string_view text) {
  std::size_t left = 0;      // continuation bytes that must follow
  unsigned char low = 0x80;  // bounds of the next one: no overlong forms, no surrogates
  unsigned char high = 0xBF;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (left > 0) {
      if (byte < low || byte > high) return false;
      low = 0x80;
      high = 0xBF;
      --left;
    } else if (byte >= 0x80) {
      if (byte < 0xC2 || byte > 0xF4) return false;
      left = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
      if (byte == 0xE0) low = 0xA0;
      if (byte == 0xED) high = 0x9F;
      if (byte == 0xF0) low = 0x90;
      if (byte == 0xF4) high = 0x8F;
    }
  }
  return left == 0;
}

}  // namespace tiphys::step
