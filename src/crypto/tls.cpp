// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/openssl.h"

namespace fiducia::crypto {

struct TlsContext::Handle {
  FreedPtr<SSL_CTX, SSL_CTX_free> context;
  bool is_server = false;
  std::string protocol;  // as ALPN writes it: length, name
};

struct TlsEngine::Connection {
  TlsContext context;  // OpenSSL calls back into it
  FreedPtr<SSL, SSL_free> ssl;
  BIO* in = nullptr;  // both owned by ssl
  BIO* out = nullptr;
};

namespace {

// A chain or a list of authorities; the longest in practice, all of the web's, is 250 KiB.
constexpr std::uint64_t tls_file_bytes_max = 1 << 20;
// 112 bits: refuses MD5 and SHA-1 signatures, and RSA keys below 2048 bits.
constexpr int tls_security_level = 2;

void start_libssl() {
  start_openssl();
  static const int started =
      OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS, nullptr);
  FIDUCIA_ASSERT(started == 1);
}

std::unexpected<Error> invalid_tls(std::string what, std::string remedy) {
  forget_openssl_errors();
  return fail(ErrorCode::config_invalid, std::move(what), std::move(remedy));
}

/// Every certificate of a PEM text. Errors: config_invalid.
Result<std::vector<X509Handle>> read_chain(std::string_view pem, const char* whose) {
  const BioHandle bio{BIO_new_mem_buf(pem.data(), narrow<int>(pem.size()))};
  if (bio == nullptr) return fail_crypto("cannot read a PEM text");
  std::vector<X509Handle> chain;
  while (X509* x509 = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
    chain.emplace_back(x509);
  const unsigned long error = ERR_peek_last_error();
  forget_openssl_errors();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (chain.empty() || !at_end)
    return invalid_tls(
        std::string{"The PEM text of "} + whose + " holds no certificate, or a damaged one.",
        "Give certificates in PEM, one after the other.");
  return chain;
}

int give_tls_passphrase(char* buffer, int size, int, void* userdata) {
  const auto& passphrase = *static_cast<const std::string*>(userdata);
  if (passphrase.empty() || std::cmp_greater(passphrase.size(), size)) return -1;
  std::ranges::copy(passphrase, buffer);
  return narrow<int>(passphrase.size());
}

Status use_identity(SSL_CTX* context, const TlsIdentity& identity) {
  FIDUCIA_TRY(chain, read_chain(identity.chain_pem, "the own certificate"));
  const BioHandle bio{
      BIO_new_mem_buf(identity.key_pem.data(), narrow<int>(identity.key_pem.size()))};
  if (bio == nullptr) return fail_crypto("cannot read a PEM key");
  std::string passphrase = identity.passphrase;
  const KeyHandle key{
      PEM_read_bio_PrivateKey(bio.get(), nullptr, give_tls_passphrase, &passphrase)};
  OPENSSL_cleanse(passphrase.data(), passphrase.size());
  if (key == nullptr) {
    forget_openssl_errors();
    if (is_encrypted_pem(identity.key_pem))
      return fail(ErrorCode::signature_bad, "The pass phrase does not open the key for TLS.",
                  "Give the pass phrase with which the key was encrypted.");
    return invalid_tls("The PEM text of the key for TLS holds no private key.",
                       "Give the private key in PEM.");
  }
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    forget_openssl_errors();
    return fail(ErrorCode::unsupported, "The certificate for TLS has a weak key or signature.",
                "Use a P-256, P-384 or Ed25519 key, or RSA with at least 2048 bits.");
  }
  for (std::size_t i = 1; i < chain.size(); ++i)
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1)
      return invalid_tls("A certificate of the chain for TLS cannot be used.",
                         "Leave out what is not part of the chain.");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
    return invalid_tls("The key and the certificate for TLS do not belong together.",
                       "Give the key that the first certificate was made for.");
  return {};
}

Status use_authorities(SSL_CTX* context, const std::string& pem, bool is_server) {
  FIDUCIA_TRY(authorities, read_chain(pem, "the authorities"));
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  // What is named is trusted, also where it is itself issued by another.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  for (const X509Handle& authority : authorities)
    if (X509_STORE_add_cert(store, authority.get()) != 1 ||
        (is_server && SSL_CTX_add_client_CA(context, authority.get()) != 1))
      return fail_crypto("cannot take an authority for TLS");
  return {};
}

/// Server side of ALPN: our protocol, or none of the client's.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length,
                    const unsigned char* offered, unsigned int offered_bytes, void* wanted) {
  const auto& ours = *static_cast<const std::string*>(wanted);
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, length, reinterpret_cast<const unsigned char*>(ours.data()),
                            narrow<unsigned int>(ours.size()), offered,
                            offered_bytes) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

Result<TlsContext> make_tls_context(const TlsOptions& options, bool is_server) {
  start_libssl();
  auto handle = std::make_shared<TlsContext::Handle>();
  handle->is_server = is_server;
  handle->context.reset(SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method()));
  SSL_CTX* const context = handle->context.get();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      // RFC 9325 section 4.2: forward secrecy and authenticated encryption only.
      SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
    return fail_crypto("cannot prepare TLS");
  SSL_CTX_set_security_level(context, tls_security_level);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A resumed session would not look at the certificate again.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify_depth(context, narrow<int>(limits::certificate_chain_max));

  if (options.identity) FIDUCIA_CHECK(use_identity(context, *options.identity));
  if (is_server && !options.identity)
    return invalid_tls("A TLS server needs a certificate and its key.", "Name both.");
  if (!options.authorities_pem.empty()) {
    FIDUCIA_CHECK(use_authorities(context, options.authorities_pem, is_server));
  } else if (!is_server && SSL_CTX_set_default_verify_paths(context) != 1) {
    return fail_crypto("cannot find the system's authorities");
  }
  int mode = SSL_VERIFY_NONE;
  if (!is_server || !options.authorities_pem.empty()) mode = SSL_VERIFY_PEER;
  if (is_server && mode == SSL_VERIFY_PEER && options.certificate_required)
    mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, mode, accept_last_second);

  if (options.protocol.size() > 255)
    return fail(ErrorCode::usage_invalid, "The name of a protocol has at most 255 bytes.");
  if (!options.protocol.empty()) {
    handle->protocol =
        std::string(1, static_cast<char>(options.protocol.size())) + options.protocol;
    if (is_server) {
      SSL_CTX_set_alpn_select_cb(context, choose_protocol, &handle->protocol);
    } else if (SSL_CTX_set_alpn_protos(
                   context, reinterpret_cast<const unsigned char*>(handle->protocol.data()),
                   narrow<unsigned int>(handle->protocol.size())) != 0) {
      return fail_crypto("cannot name a protocol");
    }
  }
  return TlsContext{std::move(handle)};
}

bool is_ip_address(const std::string& host) {
  std::array<unsigned char, 16> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

/// Which server a client wants: checked against its certificate, and told to it (RFC 6066).
bool expect_host(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl);
  if (is_ip_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(rules, host.c_str(), host.size()) == 1 &&
         SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

/// Why the connection failed; numbers and fixed strings of OpenSSL only.
std::unexpected<Error> fail_tls(const SSL* ssl) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(code);
  const long verified = SSL_get_verify_result(ssl);
  std::string what = "The TLS connection failed: ";
  if (verified != X509_V_OK)
    what += X509_verify_cert_error_string(verified);
  else
    what += reason != nullptr ? reason : "the other side broke the protocol";
  what += ".";
  forget_openssl_errors();
  return fail(ErrorCode::io_unreadable, std::move(what),
              "Check the certificates, authorities and clocks of both sides.");
}

}  // namespace

Result<TlsIdentity> read_tls_identity(const std::string& chain_file, const std::string& key_file,
                                      std::string passphrase) {
  FIDUCIA_TRY(chain, read_file(chain_file, tls_file_bytes_max));
  FIDUCIA_TRY(key, read_file(key_file, tls_file_bytes_max));
  TlsIdentity identity{.chain_pem = std::string{as_text(chain)},
                       .key_pem = std::string{as_text(key)},
                       .passphrase = std::move(passphrase)};
  OPENSSL_cleanse(key.data(), key.size());
  return identity;
}

Result<TlsContext> TlsContext::make_server(const TlsOptions& options) {
  return make_tls_context(options, true);
}
Result<TlsContext> TlsContext::make_client(const TlsOptions& options) {
  return make_tls_context(options, false);
}

TlsEngine::TlsEngine(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
TlsEngine::TlsEngine(TlsEngine&&) noexcept = default;
TlsEngine& TlsEngine::operator=(TlsEngine&&) noexcept = default;
TlsEngine::~TlsEngine() = default;

Result<TlsEngine> TlsEngine::make(const TlsContext& context, const std::string& host) {
  const bool is_server = context.handle().is_server;
  if (is_server != host.empty())
    return fail(ErrorCode::usage_invalid, "A TLS client, and only a client, names its server.");
  auto connection = std::make_unique<Connection>(Connection{
      .context = context, .ssl = FreedPtr<SSL, SSL_free>{SSL_new(context.handle().context.get())}});
  SSL* const ssl = connection->ssl.get();
  if (ssl == nullptr) return fail_crypto("cannot begin a TLS connection");
  BioHandle in{BIO_new(BIO_s_mem())};
  BioHandle out{BIO_new(BIO_s_mem())};
  if (in == nullptr || out == nullptr) return fail_crypto("cannot begin a TLS connection");
  connection->in = in.get();
  connection->out = out.get();
  SSL_set_bio(ssl, in.release(), out.release());
  if (is_server) {
    SSL_set_accept_state(ssl);
  } else {
    SSL_set_connect_state(ssl);
    if (!expect_host(ssl, host)) return fail_crypto("cannot expect the name of a server");
  }
  return TlsEngine{std::move(connection)};
}

Status TlsEngine::take(ByteView from_peer) {
  while (!from_peer.empty()) {
    const std::size_t part = std::min<std::size_t>(from_peer.size(), 1 << 30);
    const int taken = BIO_write(connection_->in, from_peer.data(), narrow<int>(part));
    if (taken <= 0) return fail_crypto("no memory for a TLS connection");
    from_peer = from_peer.subspan(static_cast<std::size_t>(taken));
  }
  return {};
}

bool TlsEngine::has_output() const { return BIO_pending(connection_->out) > 0; }

Bytes TlsEngine::take_output() {
  Bytes output(static_cast<std::size_t>(BIO_pending(connection_->out)));
  if (output.empty()) return output;
  const int taken = BIO_read(connection_->out, output.data(), narrow<int>(output.size()));
  FIDUCIA_ASSERT(std::cmp_equal(taken, output.size()));
  return output;
}

Result<bool> TlsEngine::shake_hands() {
  ERR_clear_error();
  SSL* const ssl = connection_->ssl.get();
  const int done = SSL_do_handshake(ssl);
  if (done == 1) return true;
  if (SSL_get_error(ssl, done) == SSL_ERROR_WANT_READ) return false;
  return fail_tls(ssl);
}

Result<std::size_t> TlsEngine::read(std::span<std::byte> to) {
  ERR_clear_error();
  SSL* const ssl = connection_->ssl.get();
  std::size_t count = 0;
  const int done = SSL_read_ex(ssl, to.data(), to.size(), &count);
  if (done == 1) return count;
  const int error = SSL_get_error(ssl, done);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_ZERO_RETURN) return 0U;
  return fail_tls(ssl);
}

bool TlsEngine::is_ended() const {
  return (SSL_get_shutdown(connection_->ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

Status TlsEngine::write(ByteView plain) {
  if (plain.empty()) return {};
  ERR_clear_error();
  SSL* const ssl = connection_->ssl.get();
  std::size_t count = 0;
  // Without SSL_MODE_ENABLE_PARTIAL_WRITE it writes all; memory takes all.
  if (SSL_write_ex(ssl, plain.data(), plain.size(), &count) == 1 && count == plain.size())
    return {};
  return fail_tls(ssl);
}

void TlsEngine::end() {
  ERR_clear_error();
  if (SSL_is_init_finished(connection_->ssl.get()) == 1)
    static_cast<void>(SSL_shutdown(connection_->ssl.get()));
  forget_openssl_errors();
}

Result<std::optional<Certificate>> TlsEngine::peer_certificate() const {
  const X509* const x509 = SSL_get0_peer_certificate(connection_->ssl.get());
  if (x509 == nullptr) return std::nullopt;
  unsigned char* der = nullptr;
  const int length = i2d_X509(x509, &der);
  if (length <= 0) return fail_crypto("cannot write a certificate");
  auto read =
      Certificate::read_der(std::as_bytes(std::span{der, static_cast<std::size_t>(length)}));
  OPENSSL_free(der);
  if (!read) return std::unexpected(std::move(read).error());
  return std::move(*read);
}

std::string TlsEngine::version() const { return SSL_get_version(connection_->ssl.get()); }

}  // namespace fiducia::crypto
