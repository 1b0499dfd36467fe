// The messages between an engine and the supervisor: little-endian frames over a Unix stream
// socket.
//
// A frame is: u32 size of what follows, u8 type, payload. Strings are u32 size, bytes, NUL, so that
// the supervisor can hand them to execve where they lie. Both ends are the same binary; kVersion
// guards against an older supervisor. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::executor::wire {

inline constexpr std::uint32_t kVersion = 2;
inline constexpr std::uint32_t kFrameSizeMax = 64U << 20U;

enum class Type : std::uint8_t {
  kHello = 1,    // engine: u32 version, u32 processes at once
  kStart,        // engine: Launch
  kCancel,       // engine: key, i64 grace in ns
  kAcknowledge,  // engine: key
  kRunning,      // supervisor: key, i64 started at (ns since 1970)
  kExit,         // supervisor: Exit
  kAttach,       // engine: key; answered by kRunning and kExit as they come, or by kUnknown
  kUnknown,      // supervisor: key; it was never started
};

/// One mount of a step's own view of the file system, done in this order before the program starts.
struct Mount {
  enum class Kind : std::uint8_t {
    kOverlay,  // `options` are overlayfs's, on `target`
    kBind,     // `source` with all below it onto `target`; if `options` are given, they are what
               // `source` begins with, and no symbolic link behind it is followed
    // Those of a step that has a root folder of its own:
    kBindReadOnly,
    kOverlayReadOnly,
    kProc,
    kSys,
    kDevices,    // the few that every program expects, and none of the machine's own
    kNoCgroups,  // a runtime sees an empty, read-only cgroup v2 tree and leaves cgroups alone
    kTemporary,  // a tmpfs with `options`
    kPivot,      // `target` becomes the root folder, and the one before goes
  };
  Kind kind = Kind::kBind;
  std::string source;
  std::string target;
  std::string options;
};

/// Namespaces of a step's own (mounts, processes, IPC, host name), with all that ends in them when
/// the step or the supervisor ends.
struct Isolation {
  bool is_wanted = false;
  bool sets_user = false;  // to the ids below; else those of the supervisor stay
  bool no_new_privileges = false;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups = {};
  std::string host_name;
};

/// What the supervisor is to start.
struct Launch {
  std::string key;
  std::string log_path;
  std::string cwd;
  std::string root;                   // chroot before the program starts, or empty
  bool wants_stdout = false;          // Exit.stdout_tail is read by someone
  std::vector<std::string> programs;  // tried in this order, as a shell goes through PATH
  std::vector<std::string> argv;
  std::vector<std::string> env;
  std::vector<Mount> mounts;  // empty: the step shares the host's view
  Isolation isolation;
};

/// Why a step has no exit status of its own.
enum class Failure : std::uint8_t {
  kNone,
  kMount,      // its own view of the file system was refused; `error` is the errno
  kFolder,     // chdir to cwd failed
  kExec,       // no program could be started
  kResources,  // no pipe, no process
  kLost,       // it had been started by a supervisor that is gone
  kUser,       // the user it is to run as was refused
};

/// How a step ended.
struct Exit {
  std::string key;
  std::int64_t started_at = 0;  // ns since 1970; 0 when it never ran
  std::int64_t finished_at = 0;
  int wait_status = 0;  // as waitpid gives it; of use when failure is kNone
  Failure failure = Failure::kNone;
  int error = 0;            // errno of `failure`
  std::string stdout_tail;  // the last kStdoutMax bytes and the newline after them
};

/// What is kept of a step's stdout for outputs.result (Argo's limit of an annotation) plus its last
/// newline.
inline constexpr std::size_t kStdoutMax = (256U << 10U) + 1;

/// Writes frames into a buffer.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  void begin(Type type);
  void end();  // fills in the size of the frame that begin() opened
  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void u32(std::uint32_t v);
  void i64(std::int64_t v);
  void text(std::string_view v);
  void texts(const std::vector<std::string>& v);
  void isolation(const Isolation& v);

 private:
  std::string& out_;
  std::size_t start_ = 0;
};

/// Reads the payload of one frame. After a fault everything reads as 0 or empty and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view payload) : rest_(payload) {}
  std::uint8_t u8();
  std::uint32_t u32();
  std::int64_t i64();
  /// Views the payload; a NUL follows it there.
  std::string_view text();
  std::vector<std::string_view> texts();
  Isolation isolation();
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::string_view take(std::size_t size);
  std::string_view rest_;
  bool ok_ = true;
};

/// The first frame in `buffer`: its whole size, 0 while it is incomplete, -1 when it cannot be one.
[[nodiscard]] std::int64_t frame_size(std::string_view buffer);
/// Type and payload of a frame of that size at the start of `buffer`.
[[nodiscard]] Type frame_type(std::string_view buffer);
[[nodiscard]] std::string_view frame_payload(std::string_view buffer, std::int64_t size);

/// Appends a frame with a key alone (kAttach, kAcknowledge, kUnknown), or with a key and a number
/// (kRunning, kCancel).
void put(std::string& out, Type type, std::string_view key);
void put(std::string& out, Type type, std::string_view key, std::int64_t number);
/// Appends a frame.
void put(std::string& out, const Launch& launch);
void put(std::string& out, const Exit& exit);
/// The payload of an Exit alone, as the journal keeps it, and back.
void put_payload(Writer& writer, const Exit& exit);
[[nodiscard]] Exit get_exit(Reader& reader);

}  // namespace tiphys::executor::wire
