// One request to a registry, as a transfer of libcurl's.
//
// Redirects are followed, as registries keep blobs elsewhere; libcurl sends no authorization to
// another host. Used in one thread.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "kube/image_lookup.h"

namespace tiphys::kube {

class RegistryTransfer {
 public:
  /// `owner` is what owner_of() gives for its handle; `timeout_ms` is for all of it.
  RegistryTransfer(const RegistryRequest& request, long timeout_ms, void* owner);
  ~RegistryTransfer();
  RegistryTransfer(const RegistryTransfer&) = delete;
  RegistryTransfer& operator=(const RegistryTransfer&) = delete;

  [[nodiscard]] CURL* easy() const { return easy_; }
  [[nodiscard]] static void* owner_of(CURL* easy);
  /// What came, once it is over.
  [[nodiscard]] RegistryAnswer answer(CURLcode code);

 private:
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);

  CURL* const easy_;
  curl_slist* headers_ = nullptr;
  RegistryAnswer answer_;
  bool is_too_large_ = false;
  char error_[CURL_ERROR_SIZE] = "";
};

}  // namespace tiphys::kube
