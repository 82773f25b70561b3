using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Broker.Gateway.Security.Sources;

/// <summary>TLS towards a server, for clients that leave it to others.</summary>
internal static class TlsClient
{
    /// <summary>The whole of it, for one server.</summary>
    /// <param name="host">The name its certificate must have; null if whoever uses the options sets it.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file holds something else.</exception>
    public static SslClientAuthenticationOptions Make(TlsClientOptions options, string? host = null) => new()
    {
        TargetHost = host,
        RemoteCertificateValidationCallback = MakeValidation(options),
        ClientCertificateContext = Certificate(options) is { } own ? SslStreamCertificateContext.Create(own, null, offline: true) : null,
    };

    /// <summary>Judges the server's certificate.</summary>
    public static RemoteCertificateValidationCallback MakeValidation(TlsClientOptions options)
    {
        if (options.Tls != "verify") return (_, certificate, _, _) => certificate is not null;
        var authorities = new X509Certificate2Collection();
        if (options.CaFile.Length > 0) authorities.ImportFromPemFile(options.CaFile);
        return (_, certificate, chain, errors) =>
        {
            if (authorities.Count == 0) return errors == SslPolicyErrors.None;
            if (certificate is not X509Certificate2 shown || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0) return false;
            using var own = new X509Chain();
            own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            own.ChainPolicy.CustomTrustStore.AddRange(authorities);
            own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            if (chain is not null) own.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
            return own.Build(shown);
        };
    }

    /// <summary>The certificate the broker shows; null if it has none.</summary>
    public static X509Certificate2? Certificate(TlsClientOptions options) =>
        options.CertificateFile.Length == 0 ? null : X509Certificate2.CreateFromPemFile(options.CertificateFile, options.KeyFile.Length == 0 ? null : options.KeyFile);
}
