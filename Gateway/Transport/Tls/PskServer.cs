using System.Text;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace Broker.Gateway.Transport.Tls;

/// <summary>What one connection agrees to when it speaks TLS with a pre-shared key: version 1.2 and suites with authenticated encryption.</summary>
internal sealed class PskServer(PskKeys keys, TimeSpan timeout) : PskTlsServer(new BcTlsCrypto(), keys)
{
    private static readonly int[] Suites =
    [
        CipherSuite.TLS_PSK_WITH_AES_128_GCM_SHA256, CipherSuite.TLS_PSK_WITH_AES_256_GCM_SHA384, CipherSuite.TLS_PSK_WITH_CHACHA20_POLY1305_SHA256,
        CipherSuite.TLS_PSK_WITH_AES_128_CBC_SHA256, CipherSuite.TLS_PSK_WITH_AES_128_CBC_SHA, CipherSuite.TLS_PSK_WITH_AES_256_CBC_SHA,
    ];

    /// <summary>Whose key was used; null before the handshake is complete.</summary>
    public string? Identity { get; private set; }

    public override int GetHandshakeTimeoutMillis() => (int)timeout.TotalMilliseconds;

    public override void NotifyHandshakeComplete()
    {
        base.NotifyHandshakeComplete();
        Identity = Encoding.UTF8.GetString(m_context.SecurityParameters.PskIdentity);
    }

    protected override ProtocolVersion[] GetSupportedVersions() => ProtocolVersion.TLSv12.Only();

    protected override int[] GetSupportedCipherSuites() => Suites;
}
