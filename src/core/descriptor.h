// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "core/bytes.h"
#include "core/error.h"

namespace fiducia {

/// Owns a file descriptor; -1 is none. Movable.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { reset(); }
  [[nodiscard]] int value() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  void reset() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  /// Closes and reports what close() says (a full disk may show up only here).
  [[nodiscard]] bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_ = -1;
};

/// Writes all of `bytes`. Returns an errno, 0 when done.
[[nodiscard]] int write_all(int fd, ByteView bytes);

/// The error (io_unwritable) for a path that cannot be written, by its errno.
[[nodiscard]] std::unexpected<Error> fail_unwritable(const std::filesystem::path& path,
                                                     int error_number);

}  // namespace fiducia
