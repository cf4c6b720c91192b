// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <memory>

#include "core/core.h"
#include "http/http.h"
#include "ledger/ledger.h"
#include "ledger_format/ledger_format.h"

namespace fiducia::ledger_net {

/// The read side of C2SP tlog-tiles over HTTP: `/checkpoint`, `/tile/L/N[.p/W]` and
/// `/tile/entries/N[.p/W]`, spelt exactly so. Everything else is 404, whatever lies in the store.
///
/// A tile is served once the published checkpoint calls for it, since what may be cached for good
/// must not change any more; a partial tile whose file is gone is cut from the full one. An object
/// that cannot be a tile of its name (cut short by a loss of power) is 500 and not cached.
///
/// Nothing is verified here: whoever reads checks against the signed root.
/// Thread safety: `answer` may run concurrently.
class TileServer {
 public:
  explicit TileServer(std::shared_ptr<const ledger::ObjectSource> source)
      : source_(std::move(source)) {}

  /// Depends on the request and the source alone. Methods: GET and HEAD, else 405. Understands
  /// If-None-Match and Accept-Encoding (gzip, for entry bundles). A source that cannot be read:
  /// 503.
  [[nodiscard]] http::Response answer(const http::Request& request) const;

 private:
  [[nodiscard]] http::Response answer_tile(const http::Request& request,
                                           const ledger_format::TileAddress& address) const;
  [[nodiscard]] Result<bool> is_published(const ledger_format::TileAddress& address) const;

  std::shared_ptr<const ledger::ObjectSource> source_;
  mutable std::atomic<std::uint64_t> published_ = 0;  // largest tree size that was seen
};

}  // namespace fiducia::ledger_net
