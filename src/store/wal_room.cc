#include "store/wal_room.h"

#include <algorithm>
#include <array>

namespace tiphys::store {

namespace {

// The file's format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr sqlite3_int64 kHeaderBytes = 32;
constexpr sqlite3_int64 kFrameBytes = 24 + 4096;
constexpr int kCheckpointPages = 1000;  // SQLite's default

constexpr sqlite3_int64 kBlock = sqlite3_int64{64} << 10;
constexpr sqlite3_int64 kAhead = kBlock;  // a commit seldom takes more
constexpr sqlite3_int64 kGrowthMax = 16 * kBlock;

}  // namespace

WalRoom::WalRoom(sqlite3* database) : database_(database) {
  sqlite3_wal_hook(database_, &WalRoom::on_commit, this);
}

WalRoom::~WalRoom() { sqlite3_wal_autocheckpoint(database_, kCheckpointPages); }

int WalRoom::on_commit(void* self, sqlite3* database, const char* schema, int pages) {
  static_cast<WalRoom*>(self)->used_ = kHeaderBytes + pages * kFrameBytes;
  if (pages >= kCheckpointPages) {
    // as in SQLite's own hook, what it says is not the commit's failure
    sqlite3_wal_checkpoint_v2(database, schema, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  }
  return SQLITE_OK;
}

void WalRoom::make() {
  // a log of a few commits is not worth it
  if (used_ < kAhead || used_ + kAhead <= length_) return;
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(database_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK ||
      file == nullptr || file->pMethods == nullptr ||
      file->pMethods->xFileSize(file, &length_) != SQLITE_OK) {
    return;
  }
  static constexpr std::array<char, kBlock> kZeros = {};
  const sqlite3_int64 end = used_ + kAhead + std::clamp(used_, kBlock, kGrowthMax);
  while (length_ < end) {
    const sqlite3_int64 size = std::min(kBlock, end - length_);
    if (file->pMethods->xWrite(file, kZeros.data(), static_cast<int>(size), length_) != SQLITE_OK)
      return;
    length_ += size;
  }
}

}  // namespace tiphys::store
