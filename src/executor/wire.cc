#include "executor/wire.h"

#include <cstring>

namespace tiphys::executor::wire {

void Writer::begin(Type type) {
  start_ = out_.size();
  u32(0);
  u8(static_cast<std::uint8_t>(type));
}

void Writer::end() {
  const auto size = static_cast<std::uint32_t>(out_.size() - start_ - sizeof(std::uint32_t));
  std::memcpy(out_.data() + start_, &size, sizeof size);
}

void Writer::u32(std::uint32_t v) { out_.append(reinterpret_cast<const char*>(&v), sizeof v); }

void Writer::i64(std::int64_t v) { out_.append(reinterpret_cast<const char*>(&v), sizeof v); }

void Writer::text(std::string_view v) {
  u32(static_cast<std::uint32_t>(v.size()));
  out_.append(v);
  out_.push_back('\0');
}

void Writer::texts(const std::vector<std::string>& v) {
  u32(static_cast<std::uint32_t>(v.size()));
  for (const std::string& s : v) text(s);
}

void Writer::isolation(const Isolation& v) {
  u8(v.is_wanted ? 1 : 0);
  u8(v.sets_user ? 1 : 0);
  u8(v.no_new_privileges ? 1 : 0);
  u32(v.uid);
  u32(v.gid);
  u32(static_cast<std::uint32_t>(v.groups.size()));
  for (const std::uint32_t group : v.groups) u32(group);
  text(v.host_name);
}

Isolation Reader::isolation() {
  Isolation v;
  v.is_wanted = u8() != 0;
  v.sets_user = u8() != 0;
  v.no_new_privileges = u8() != 0;
  v.uid = u32();
  v.gid = u32();
  const std::uint32_t count = u32();
  for (std::uint32_t i = 0; i < count && ok_; ++i) v.groups.push_back(u32());
  v.host_name = text();
  return v;
}

std::string_view Reader::take(std::size_t size) {
  if (!ok_ || rest_.size() < size) {
    ok_ = false;
    return {};
  }
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::uint8_t Reader::u8() {
  const std::string_view bytes = take(1);
  return bytes.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(bytes[0]);
}

std::uint32_t Reader::u32() {
  std::uint32_t v = 0;
  const std::string_view bytes = take(sizeof v);
  if (!bytes.empty()) std::memcpy(&v, bytes.data(), sizeof v);
  return v;
}

std::int64_t Reader::i64() {
  std::int64_t v = 0;
  const std::string_view bytes = take(sizeof v);
  if (!bytes.empty()) std::memcpy(&v, bytes.data(), sizeof v);
  return v;
}

std::string_view Reader::text() {
  const std::size_t size = u32();
  const std::string_view bytes = take(size + 1);
  return bytes.empty() ? std::string_view{""} : bytes.substr(0, size);
}

std::vector<std::string_view> Reader::texts() {
  std::vector<std::string_view> all;
  const std::uint32_t count = u32();
  for (std::uint32_t i = 0; i < count && ok_; ++i) all.push_back(text());
  return all;
}

std::int64_t frame_size(std::string_view buffer) {
  std::uint32_t size = 0;
  if (buffer.size() < sizeof size) return 0;
  std::memcpy(&size, buffer.data(), sizeof size);
  if (size == 0 || size > kFrameSizeMax) return -1;
  const std::int64_t whole = std::int64_t{size} + 4;
  return static_cast<std::int64_t>(buffer.size()) < whole ? 0 : whole;
}

Type frame_type(std::string_view buffer) { return static_cast<Type>(buffer[4]); }

std::string_view frame_payload(std::string_view buffer, std::int64_t size) {
  return buffer.substr(5, static_cast<std::size_t>(size) - 5);
}

void put(std::string& out, Type type, std::string_view key) {
  Writer w(out);
  w.begin(type);
  w.text(key);
  w.end();
}

void put(std::string& out, Type type, std::string_view key, std::int64_t number) {
  Writer w(out);
  w.begin(type);
  w.text(key);
  w.i64(number);
  w.end();
}

void put(std::string& out, const Launch& launch) {
  Writer w(out);
  w.begin(Type::kStart);
  w.text(launch.key);
  w.text(launch.log_path);
  w.text(launch.cwd);
  w.text(launch.root);
  w.u8(launch.wants_stdout ? 1 : 0);
  w.texts(launch.programs);
  w.texts(launch.argv);
  w.texts(launch.env);
  w.u32(static_cast<std::uint32_t>(launch.mounts.size()));
  for (const Mount& m : launch.mounts) {
    w.u8(static_cast<std::uint8_t>(m.kind));
    w.text(m.source);
    w.text(m.target);
    w.text(m.options);
  }
  w.isolation(launch.isolation);
  w.end();
}

void put_payload(Writer& w, const Exit& exit) {
  w.text(exit.key);
  w.i64(exit.started_at);
  w.i64(exit.finished_at);
  w.u32(static_cast<std::uint32_t>(exit.wait_status));
  w.u8(static_cast<std::uint8_t>(exit.failure));
  w.u32(static_cast<std::uint32_t>(exit.error));
  w.text(exit.stdout_tail);
}

void put(std::string& out, const Exit& exit) {
  Writer w(out);
  w.begin(Type::kExit);
  put_payload(w, exit);
  w.end();
}

Exit get_exit(Reader& reader) {
  Exit exit;
  exit.key = reader.text();
  exit.started_at = reader.i64();
  exit.finished_at = reader.i64();
  exit.wait_status = static_cast<int>(reader.u32());
  exit.failure = static_cast<Failure>(reader.u8());
  exit.error = static_cast<int>(reader.u32());
  exit.stdout_tail = reader.text();
  return exit;
}

}  // namespace tiphys::executor::wire
