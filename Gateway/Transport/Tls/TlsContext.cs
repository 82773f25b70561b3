using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Broker.Gateway.Hosting;
using Broker.Grains.Interfaces.Configuration;

namespace Broker.Gateway.Transport.Tls;

/// <summary>A listener's certificates and whom it trusts, as its files have them. What is read anew holds from the next handshake on. Thread-safe.</summary>
internal sealed class TlsContext
{
    private readonly string section;
    private readonly TlsOptions options;
    private volatile Snapshot current;

    /// <exception cref="StartException">A file cannot be read.</exception>
    public TlsContext(string section, TlsOptions options)
    {
        (this.section, this.options) = (section, options);
        current = Load();
    }

    /// <summary>When the revocation list is to be replaced by a newer one.</summary>
    public DateTimeOffset? RevocationListDue => current.Revoked?.NextUpdate;

    /// <summary>How to answer a client that asks for a host name, or for none.</summary>
    public ValueTask<SslServerAuthenticationOptions> SelectAsync(SslStream stream, SslClientHelloInfo hello, object? state, CancellationToken cancellation)
    {
        var snapshot = current;
        var chosen = hello.ServerName.Length == 0 ? null : snapshot.Others.FirstOrDefault(one => IsFor(one.TargetCertificate, hello.ServerName));
        return new(Answer(snapshot, chosen ?? snapshot.Default));
    }

    /// <summary>Reads the files again if they have changed.</summary>
    /// <returns>Whether they had. What a running handshake uses is left to the collector.</returns>
    /// <exception cref="StartException">They cannot be read: what was there stays.</exception>
    public bool Reload()
    {
        if (Fingerprint().AsSpan().SequenceEqual(current.Fingerprint)) return false;
        current = Load();
        return true;
    }

    private static bool IsFor(X509Certificate2 certificate, string host)
    {
        try
        {
            return certificate.MatchesHostname(host);
        }
        catch (ArgumentException)
        {
            return false; // clients may ask for anything, also for what cannot be a host's name
        }
    }

    private SslServerAuthenticationOptions Answer(Snapshot snapshot, SslStreamCertificateContext certificate) => new()
    {
        ServerCertificateContext = certificate,
        EnabledSslProtocols = options.Versions switch
        {
            "1.2" => SslProtocols.Tls12,
            "1.3" => SslProtocols.Tls13,
            _ => SslProtocols.Tls12 | SslProtocols.Tls13,
        },
        ClientCertificateRequired = options.AsksForCertificate,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck, // nothing is fetched; the list is a file
        CertificateChainPolicy = options.AsksForCertificate ? snapshot.Trust : null,
        RemoteCertificateValidationCallback = (_, shown, chain, errors) => IsAccepted(snapshot, shown, chain, errors),
        // A resumed session would not ask whether the client's certificate has expired or been taken back since.
        AllowTlsResume = !options.AsksForCertificate,
    };

    private bool IsAccepted(Snapshot snapshot, System.Security.Cryptography.X509Certificates.X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        if (shown is null) return options.Verify != "required";
        if (!options.AsksForCertificate) return true;
        if (errors != SslPolicyErrors.None || chain is null) return false;
        return snapshot.Revoked is not { } revoked || !chain.ChainElements.Any(element => revoked.Holds(element.Certificate));
    }

    private Snapshot Load()
    {
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        var fingerprint = Fingerprint(); // first: what changes while it is read is read again
        if (options.CaCertificate is { } authorities) Read("CaCertificate", authorities, file => trust.CustomTrustStore.ImportFromPemFile(file));
        RevocationList? revoked = null;
        if (options.RevocationList is { } list) Read("RevocationList", list, file => revoked = new RevocationList(File.ReadAllBytes(file)));
        return new Snapshot(Load(options, ""), [.. options.Certificates.Select((files, i) => Load(files, $"Certificates:{i}:"))], trust, revoked, fingerprint);
    }

    private SslStreamCertificateContext Load(CertificateFiles files, string prefix)
    {
        SslStreamCertificateContext context = null!;
        Read(prefix + "Certificate", files.Certificate!, file =>
        {
            var certificate = files.KeyPassword is { } password
                ? X509Certificate2.CreateFromEncryptedPemFile(file, password, files.Key)
                : X509Certificate2.CreateFromPemFile(file, files.Key);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(file);
            chain.RemoveAt(0);
            context = SslStreamCertificateContext.Create(certificate, chain, offline: true);
        });
        return context;
    }

    private void Read(string key, string file, Action<string> read)
    {
        try
        {
            read(file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException or FormatException or System.Formats.Asn1.AsnContentException)
        {
            throw new StartException($"{section}:{key} = '{file}' cannot be used: {fault.Message}", fault);
        }
    }

    private byte[] Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        IEnumerable<CertificateFiles> certificates = [options, .. options.Certificates];
        foreach (var file in certificates.SelectMany(one => new[] { one.Certificate, one.Key }).Append(options.CaCertificate).Append(options.RevocationList))
        {
            // By content: a mounted secret's file is a link whose own time of change stays.
            if (file is not null && File.Exists(file)) hash.AppendData(File.ReadAllBytes(file));
        }

        return hash.GetHashAndReset();
    }

    private sealed record Snapshot(
        SslStreamCertificateContext Default, SslStreamCertificateContext[] Others, X509ChainPolicy Trust, RevocationList? Revoked, byte[] Fingerprint);
}
