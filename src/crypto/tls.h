// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/core.h"
#include "crypto/certificate.h"

/// TLS 1.2 and 1.3 (RFC 5246, RFC 8446) without sockets: who moves the bytes is somebody else.
/// Not part of the front `crypto.h`: only programs that talk over a network load libssl.
namespace fiducia::crypto {

/// The certificate that one side shows, and its key. A key of the home comes as
/// `PrivateKey::write_pem()`.
struct TlsIdentity {
  std::string chain_pem;  // own certificate first, then those above it; the root may be absent
  std::string key_pem;    // PKCS #8, SEC 1 or PKCS #1
  std::string passphrase = {};  // opens an encrypted key
};

/// Reads an identity from two PEM files (the same file twice is fine). Errors: those of read_file.
[[nodiscard]] Result<TlsIdentity> read_tls_identity(const std::string& chain_file,
                                                    const std::string& key_file,
                                                    std::string passphrase = {});

struct TlsOptions {
  /// A server needs one; a client has one where the server asks for it.
  std::optional<TlsIdentity> identity = {};
  /// PEM certificates, each of them trusted to issue (or to be) the other side's certificate.
  /// A server asks its clients for a certificate only when this is given. A client without them
  /// trusts the authorities of the system.
  std::string authorities_pem = {};
  /// Of a server with authorities: whether a client without a certificate is refused. One that
  /// shows a certificate is refused either way when that does not verify.
  bool certificate_required = true;
  /// The protocol's name for ALPN (RFC 7301), "http/1.1"; a peer that offers only others is
  /// refused. Empty: not negotiated.
  std::string protocol = {};
};

/// What all connections of one server, or one client, share. Copyable: copies share the settings.
/// Thread safety: may be used from several threads.
class TlsContext {
 public:
  /// Errors: config_invalid (no certificate or key in the PEM texts, or they do not belong
  /// together), signature_bad (wrong pass phrase), unsupported (weak key), crypto_failed.
  [[nodiscard]] static Result<TlsContext> make_server(const TlsOptions& options);
  [[nodiscard]] static Result<TlsContext> make_client(const TlsOptions& options);

  struct Handle;
  explicit TlsContext(std::shared_ptr<const Handle> handle) : handle_(std::move(handle)) {}
  [[nodiscard]] const Handle& handle() const { return *handle_; }

 private:
  std::shared_ptr<const Handle> handle_;
};

/// One connection. The caller hands over what came from the peer (`take`), and sends what lies in
/// `take_output` after each call, also after one that failed: an alert tells the peer why.
/// Thread safety: none.
class TlsEngine {
 public:
  /// `host`: the DNS name or IP address that a server's certificate must have (RFC 9525); a client
  /// has to give it. Errors: usage_invalid, crypto_failed.
  [[nodiscard]] static Result<TlsEngine> make(const TlsContext& context,
                                              const std::string& host = {});

  /// Bytes from the peer, as they came. Errors: crypto_failed (out of memory).
  [[nodiscard]] Status take(ByteView from_peer);
  /// Bytes to send to the peer.
  [[nodiscard]] bool has_output() const;
  [[nodiscard]] Bytes take_output();

  /// Goes on with the handshake; true once it is complete. Errors: io_unreadable (the peer is
  /// refused, refuses us, or breaks the protocol; the sentence says which).
  [[nodiscard]] Result<bool> shake_hands();
  /// Plain bytes into the beginning of `to`; 0: more has to come from the peer first, or
  /// `is_ended`. Errors: io_unreadable.
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> to);
  /// Whether the peer said that nothing follows (close_notify). A stream that ends without it was
  /// cut, perhaps by somebody else.
  [[nodiscard]] bool is_ended() const;
  /// Encrypts all of `plain`, after the handshake. Errors: io_unreadable.
  [[nodiscard]] Status write(ByteView plain);
  /// Tells the peer that nothing follows.
  void end();

  /// What the peer showed and proved to have the key of; nothing when it showed none. Errors:
  /// malformed (a certificate that is no DER, which OpenSSL lets pass).
  [[nodiscard]] Result<std::optional<Certificate>> peer_certificate() const;
  /// "TLSv1.3".
  [[nodiscard]] std::string version() const;

  TlsEngine(TlsEngine&&) noexcept;
  TlsEngine& operator=(TlsEngine&&) noexcept;
  ~TlsEngine();

 private:
  struct Connection;
  explicit TlsEngine(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace fiducia::crypto
