#include "step/artifacts.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "step/contract.h"
#include "step/files.h"
#include "step/settings.h"
#include "step/tar_files.h"

namespace tiphys::step {
namespace {

namespace fs = std::filesystem;

// Of the image of tiphys-step first; then where the usual images have them.
constexpr const char* kCertificates[] = {"/ca-certificates.crt",
                                         "/etc/ssl/certs/ca-certificates.crt",
                                         "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
constexpr std::int64_t kObjectMax = std::int64_t{5} << 30U;  // of S3, in one request

std::string first_certificates() {
  for (const char* path : kCertificates) {
    if (::access(path, R_OK) == 0) return path;
  }
  return kCertificates[1];
}

// A file of our own beside those of other containers.
std::string scratch(const Transfer& transfer, const char* what) {
  return std::string(kSharedFolder) + "/" + what + "-" + std::to_string(::getpid()) + "-" +
         std::to_string(fs::hash_value(transfer.artifact));
}

diag::Result<void> make_folders(const fs::path& folder) {
  if (folder.empty() || ::access(folder.c_str(), F_OK) == 0) return {};
  TRY_VOID(make_folders(folder.parent_path()));
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) {
    return failed("mkdir", folder.string(), errno);
  }
  ::chmod(folder.c_str(), 0777);
  return {};
}

diag::Result<void> move(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error == std::errc::cross_device_link) {
    fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::copy_symlinks, error);
    if (!error) fs::remove_all(from, error);
  }
  if (error) return diag::fail(diag::Code::kIo, "move to " + to + ": " + error.message());
  return {};
}

// A folder that is there already, since a volume is mounted on it, gets what is in the other.
diag::Result<void> move_over(const std::string& from, const std::string& to) {
  std::error_code error;
  if (!fs::is_directory(to, error) || !fs::is_directory(from, error)) return move(from, to);
  for (fs::directory_iterator it(from, error), end; !error && it != end; it.increment(error)) {
    TRY_VOID(move(it->path(), to + "/" + it->path().filename().string()));
  }
  return {};
}

// The only entry of what was unpacked, or else all of it, becomes the artifact.
diag::Result<void> place_unpacked(const std::string& folder, const std::string& path) {
  std::error_code error;
  std::vector<std::string> entries;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    entries.push_back(it->path());
  }
  auto moved = move_over(entries.size() == 1 ? entries[0] : folder, path);
  fs::remove_all(folder, error);
  return moved;
}

// Of the files of it.
std::int64_t size_below(const std::string& path) {
  std::error_code error;
  const auto of = [](const fs::path& file) -> std::int64_t {
    struct stat info = {};
    return ::stat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode)
               ? static_cast<std::int64_t>(info.st_size)
               : 0;
  };
  if (!fs::is_directory(path, error)) return of(path);
  std::int64_t all = 0;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_symlink(error)) all += of(it->path());
  }
  return all;
}

void set_mode(const Transfer& transfer) {
  if (transfer.mode < 0) {
    ::chmod(transfer.path.c_str(), fs::is_directory(transfer.path) ? 0777 : 0644);
    return;
  }
  std::error_code error;
  if (transfer.is_mode_for_all) {
    for (fs::recursive_directory_iterator it(transfer.path, error), end; !error && it != end;
         it.increment(error)) {
      ::chmod(it->path().c_str(), static_cast<mode_t>(transfer.mode));
    }
  }
  ::chmod(transfer.path.c_str(), static_cast<mode_t>(transfer.mode));
}

// Packs and sends. Errors: kIo.
diag::Result<void> send_artifact(const Transfer& transfer, const Trusts& trusts) {
  std::string file = transfer.path;
  if (transfer.is_archive) {
    file = scratch(transfer, "packed");
    auto packed = pack_tar(transfer.path, file, transfer.level);
    if (!packed) {
      ::unlink(file.c_str());
      return packed;
    }
  }
  diag::Result<void> sent;
  if (size_below(file) > kObjectMax) {
    sent = diag::fail(diag::Code::kIo, transfer.path +
                                           " is over 5 GiB, which is all that one "
                                           "request may send");
  } else {
    sent = send_file(transfer, trusts.of(transfer), file);
  }
  if (transfer.is_archive) ::unlink(file.c_str());
  return sent;
}

}  // namespace

diag::Result<std::vector<Transfer>> transfers_of(const char* name) {
  std::vector<Transfer> transfers;
  for (const std::string& text : numbered(name)) {
    TRY(Transfer one, decode_transfer(text));
    transfers.push_back(std::move(one));
  }
  return transfers;
}

Trusts::Trusts() : told_(numbered(kTrusted)), file_(kSharedCertificates) {
  if (::access(file_.c_str(), R_OK) != 0) file_ = first_certificates();
}

Trust Trusts::of(const Transfer& transfer) const {
  const auto index = static_cast<std::size_t>(transfer.trusted);
  if (transfer.trusted < 0 || index >= told_.size()) return {.text = "", .file = file_};
  return {.text = told_[index], .file = ""};
}

void bring_certificates() {
  auto text = read_whole(first_certificates());
  // Without them each container looks for its own.
  if (text) (void)write_whole(kSharedCertificates, *text, 0644);
}

diag::Result<void> fetch_artifact(const Transfer& transfer, const Trusts& trusts) {
  TRY_VOID(make_folders(fs::path(transfer.path).parent_path()));
  std::error_code error;
  fs::remove_all(transfer.path, error);
  if (!transfer.is_archive) {
    TRY_VOID(fetch_file(transfer, trusts.of(transfer), transfer.path));
    set_mode(transfer);
    return {};
  }
  const std::string packed = scratch(transfer, "packed");
  const std::string folder = scratch(transfer, "unpacked");
  TRY_VOID(fetch_file(transfer, trusts.of(transfer), packed));
  auto is_unpacked = unpack_tar(packed, folder);
  diag::Result<void> placed;
  if (!is_unpacked) {
    placed = std::unexpected(is_unpacked.error());
  } else if (*is_unpacked) {
    placed = place_unpacked(folder, transfer.path);
  } else {
    placed = move(packed, transfer.path);
  }
  ::unlink(packed.c_str());
  if (!placed) return placed;
  if (transfer.mode >= 0 || !*is_unpacked) set_mode(transfer);
  return {};
}

diag::Result<Sends> sends_from_environment() {
  Sends sends;
  TRY(sends.transfers, transfers_of(kSend));
  return sends;
}

std::vector<std::string> send_outputs(const Sends& sends, const std::vector<std::string>& others,
                                      Report& report, std::string& problem) {
  std::vector<std::string> left;
  std::int64_t all = 0;
  for (const std::string& path : others) all += size_below(path);
  for (const Transfer& send : sends.transfers) all += size_below(send.path);
  for (const Transfer& send : sends.transfers) {
    std::error_code error;
    // Without an archive a folder is many objects, and there is leave for one.
    const bool is_many = !send.is_archive && fs::is_directory(send.path, error);
    if (all <= kSmall || size_below(send.path) == 0 || is_many) {
      left.push_back(send.path);
      continue;
    }
    if (auto sent = send_artifact(send, sends.trusts); sent) {
      report.sent.push_back(send.artifact);
      continue;
    } else if (problem.empty()) {
      problem = "artifact " + send.artifact + " failed to save: " + sent.error().message;
    }
    left.push_back(send.path);
  }
  return left;
}

}  // namespace tiphys::step
