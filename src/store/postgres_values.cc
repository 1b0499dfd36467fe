#include "store/postgres_values.h"

#include <charconv>

namespace tiphys::store {

namespace {

// Types of the server's catalogue, which never change.
constexpr std::uint32_t kBytea = 17;
constexpr std::uint32_t kInt8 = 20;
constexpr std::uint32_t kText = 25;

void put(std::string& out, std::uint64_t number, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(number >> (8 * i));
}

// The head of an array without NULLs.
std::string array_of(std::uint32_t type, std::size_t size) {
  std::string out;
  put(out, size == 0 ? 0 : 1, 4);  // dimensions
  put(out, 0, 4);
  put(out, type, 4);
  if (size == 0) return out;
  put(out, size, 4);
  put(out, 1, 4);  // the first index
  return out;
}

}  // namespace

PgParams& PgParams::text(std::string_view bytes) {
  values_.emplace_back(bytes);
  return *this;
}

PgParams& PgParams::number(std::int64_t n) {
  put(values_.emplace_back(), static_cast<std::uint64_t>(n), 8);
  return *this;
}

PgParams& PgParams::strings(const std::vector<std::string_view>& all, std::uint32_t type) {
  std::size_t bytes = 20;
  for (const std::string_view s : all) bytes += s.size() + 4;
  std::string out = array_of(type, all.size());
  out.reserve(bytes);
  for (const std::string_view s : all) {
    put(out, s.size(), 4);
    out += s;
  }
  values_.push_back(std::move(out));
  return *this;
}

PgParams& PgParams::texts(const std::vector<std::string_view>& all) { return strings(all, kText); }
PgParams& PgParams::blobs(const std::vector<std::string_view>& all) { return strings(all, kBytea); }

PgParams& PgParams::numbers(const std::vector<std::int64_t>& all) {
  std::string out = array_of(kInt8, all.size());
  for (const std::int64_t n : all) {
    put(out, 8, 4);
    put(out, static_cast<std::uint64_t>(n), 8);
  }
  values_.push_back(std::move(out));
  return *this;
}

std::string PgRows::text(int row, int column) const {
  return {pq_->PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(pq_->PQgetlength(result_.get(), row, column))};
}

std::int64_t PgRows::number(int row, int column) const {
  const std::string bytes = text(row, column);
  if (bytes.empty()) return 0;
  const bool is_negative = (static_cast<unsigned char>(bytes.front()) & 0x80U) != 0;
  std::uint64_t out = is_negative && bytes.size() > 1 ? ~std::uint64_t{0} : 0;
  for (const char c : bytes) out = (out << 8U) | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(out);
}

std::int64_t PgRows::changed() const {
  if (result_ == nullptr) return 0;
  const std::string_view digits = pq_->PQcmdTuples(result_.get());
  std::int64_t out = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

}  // namespace tiphys::store
