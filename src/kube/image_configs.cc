#include "kube/image_configs.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kube/clocks.h"
#include "kube/image_lookup.h"
#include "kube/image_manifest.h"
#include "kube/image_reference.h"
#include "kube/registry_credentials.h"
#include "kube/registry_transfer.h"
#include "net/curl_loop.h"

namespace tiphys::kube {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kTagLife = 600 * kSecond;
constexpr std::int64_t kErrorLife = 10 * kSecond;
constexpr std::int64_t kForGood = INT64_MAX;
constexpr std::size_t kEntriesMax = 1000;

diag::Error message_for(const std::string& image, const diag::Error& why) {
  const bool is_passing = why.code == diag::Code::kIo;
  return {why.code,
          fmt::format("image \"{}\" has no command in the template, and its registry {}: "
                      "{}; set command",
                      image, is_passing ? "could not be asked" : "does not tell one", why.message)};
}

}  // namespace

/// The state, of which all but the orders is the thread's own.
class ImageConfigs::Desk : public std::enable_shared_from_this<Desk> {
 public:
  explicit Desk(ImageConfigsOptions options)
      : options_(std::move(options)),
        loop_({.on_wake = [this] { take_orders(); },
               .on_done = [this](CURL* easy, CURLcode code) { end(easy, code); }}) {
    if (!options_.now) options_.now = steady_now;
  }
  ~Desk() { close(); }

  /// Any thread.
  void post(std::function<void()> order) {
    {
      const std::lock_guard lock(mutex_);
      if (is_closed_) return;
      orders_.push_back(std::move(order));
    }
    loop_.wake();
  }
  void begin(std::vector<std::string> images, const PullSecrets& secrets, OnDone on_done);
  /// Ends the thread. Any other thread.
  void close();

 private:
  /// What one ask() waits for.
  struct Asking {
    OnDone on_done;
    std::size_t left = 0;
    executor::Images found = {};
    std::optional<diag::Error> error = {};
  };
  struct Waiter {
    std::string image;  // as it was named
    std::shared_ptr<Asking> asking;
  };
  /// One image with one set of secrets.
  struct Entry {
    ImageReference image;
    std::vector<Waiter> waiters = {};
    std::optional<diag::Result<executor::ImageStart>> answer = {};  // or it is being asked for
    std::int64_t valid_until = 0;
    std::int64_t deadline = 0;
    std::optional<ImageLookup> lookup = {};
    std::unique_ptr<RegistryTransfer> transfer = {};
  };

  void take_orders();
  void add(const std::string& image, const PullSecrets& secrets,
           const std::shared_ptr<Asking>& asking);
  void look_up(const std::string& key, const std::vector<std::string>& docker_configs);
  void send(Entry& entry);
  void end(CURL* easy, CURLcode code);
  void settle(Entry& entry, diag::Result<executor::ImageStart> answer);
  static void tell(const Waiter& waiter, const diag::Result<executor::ImageStart>& answer);
  static void tell_if_done(const std::shared_ptr<Asking>& asking);
  void make_room();
  [[nodiscard]] bool uses_tls(const std::string& registry) const;

  ImageConfigsOptions options_;
  std::mutex mutex_;  // guards the next two
  std::vector<std::function<void()>> orders_;
  bool is_closed_ = false;

  std::map<std::string, Entry> entries_;  // by the image's full name and the secrets' scope
  net::CurlLoop loop_;                    // last: its thread uses the others
};

void ImageConfigs::Desk::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    orders_.clear();
  }
  loop_.stop();
  for (auto& [key, entry] : entries_) {
    if (entry.transfer) loop_.remove(entry.transfer->easy());
  }
  entries_.clear();
}

void ImageConfigs::Desk::take_orders() {
  std::vector<std::function<void()>> orders;
  {
    const std::lock_guard lock(mutex_);
    orders.swap(orders_);
  }
  for (const auto& order : orders) order();
}

void ImageConfigs::Desk::begin(std::vector<std::string> images, const PullSecrets& secrets,
                               OnDone on_done) {
  std::ranges::sort(images);
  images.erase(std::unique(images.begin(), images.end()), images.end());
  auto asking = std::make_shared<Asking>();
  asking->on_done = std::move(on_done);
  asking->left = images.size() + 1;  // one more, until all are asked for
  for (const std::string& image : images) add(image, secrets, asking);
  tell_if_done(asking);
}

void ImageConfigs::Desk::add(const std::string& image, const PullSecrets& secrets,
                             const std::shared_ptr<Asking>& asking) {
  auto reference = parse_image_reference(image);
  if (!reference) return tell({image, asking}, std::unexpected(reference.error()));
  const std::string key = reference->full() + '\n' + secrets.scope;
  auto it = entries_.find(key);
  const bool is_known = it != entries_.end() && it->second.answer;
  if (is_known && it->second.valid_until > options_.now()) {
    return tell({image, asking}, *it->second.answer);
  }
  if (is_known) entries_.erase(it);
  if (is_known || it == entries_.end()) {
    make_room();
    it = entries_.emplace(key, Entry{.image = std::move(*reference)}).first;
    it->second.waiters.push_back({image, asking});
    if (!secrets.fetch) return look_up(key, {});
    return secrets.fetch([weak = weak_from_this(), key](std::vector<std::string> texts) {
      const auto desk = weak.lock();
      if (!desk) return;
      desk->post([self = desk.get(), key, kept = std::move(texts)] { self->look_up(key, kept); });
    });
  }
  it->second.waiters.push_back({image, asking});
}

bool ImageConfigs::Desk::uses_tls(const std::string& registry) const {
  return !is_local_registry(registry) &&
         std::ranges::find(options_.insecure_registries, registry) ==
             options_.insecure_registries.end();
}

void ImageConfigs::Desk::look_up(const std::string& key,
                                 const std::vector<std::string>& docker_configs) {
  const auto it = entries_.find(key);
  if (it == entries_.end() || it->second.lookup || it->second.answer) return;
  Entry& entry = it->second;
  entry.lookup.emplace(entry.image, credentials_for(entry.image, docker_configs),
                       uses_tls(entry.image.registry), machine_architecture());
  entry.deadline = steady_now() + options_.patience.ns;
  send(entry);
}

void ImageConfigs::Desk::send(Entry& entry) {
  const std::int64_t left_ms = (entry.deadline - steady_now()) / 1'000'000;
  entry.transfer = std::make_unique<RegistryTransfer>(
      entry.lookup->request(), static_cast<long>(std::max<std::int64_t>(1, left_ms)), &entry);
  loop_.add(entry.transfer->easy());
}

void ImageConfigs::Desk::end(CURL* easy, CURLcode code) {
  Entry& entry = *static_cast<Entry*>(RegistryTransfer::owner_of(easy));
  const RegistryAnswer answer = entry.transfer->answer(code);
  entry.transfer.reset();
  if (auto done = entry.lookup->take(answer)) return settle(entry, std::move(*done));
  send(entry);
}

void ImageConfigs::Desk::settle(Entry& entry, diag::Result<executor::ImageStart> answer) {
  const std::int64_t life = !answer ? kErrorLife : kTagLife;
  const bool is_for_good = answer && !entry.image.digest.empty();
  entry.valid_until = is_for_good ? kForGood : options_.now() + life;
  entry.lookup.reset();
  entry.answer = std::move(answer);
  for (const Waiter& waiter : std::exchange(entry.waiters, {})) tell(waiter, *entry.answer);
}

void ImageConfigs::Desk::tell(const Waiter& waiter,
                              const diag::Result<executor::ImageStart>& answer) {
  Asking& asking = *waiter.asking;
  if (answer) {
    asking.found.insert_or_assign(waiter.image, *answer);
  } else if (!asking.error) {
    asking.error = message_for(waiter.image, answer.error());
  }
  tell_if_done(waiter.asking);
}

void ImageConfigs::Desk::tell_if_done(const std::shared_ptr<Asking>& asking) {
  if (--asking->left > 0) return;
  if (asking->error) return asking->on_done(std::unexpected(std::move(*asking->error)));
  asking->on_done(std::move(asking->found));
}

void ImageConfigs::Desk::make_room() {
  if (entries_.size() < kEntriesMax) return;
  const std::int64_t now = options_.now();
  std::erase_if(entries_,
                [now](const auto& e) { return e.second.answer && e.second.valid_until <= now; });
  if (entries_.size() < kEntriesMax) return;
  std::erase_if(entries_, [](const auto& e) { return e.second.answer.has_value(); });
}

ImageConfigs::ImageConfigs(ImageConfigsOptions options)
    : desk_(std::make_shared<Desk>(std::move(options))) {}

ImageConfigs::~ImageConfigs() { desk_->close(); }

void ImageConfigs::ask(std::vector<std::string> images, PullSecrets secrets, OnDone on_done) {
  desk_->post([self = desk_.get(), kept = std::move(images), secrets = std::move(secrets),
               done = std::move(on_done)] { self->begin(kept, secrets, done); });
}

std::vector<std::string> insecure_registries() {
  std::vector<std::string> all;
  const char* const text = std::getenv("TIPHYS_INSECURE_REGISTRIES");
  std::string_view rest = text == nullptr ? "" : text;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    std::string_view one = rest.substr(0, comma);
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    one = one.substr(0, one.find_last_not_of(' ') + 1);
    if (!one.empty()) all.emplace_back(one);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return all;
}

}  // namespace tiphys::kube
