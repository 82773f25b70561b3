using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Broker.Tests.Protocol.Transport;

/// <summary>An authority and what it signs, as PEM files in a folder that goes with it.</summary>
internal sealed class TestCertificates : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("broker-certificates-").FullName;
    private readonly X509Certificate2 authority;

    public TestCertificates(string name = "Test CA")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(2));
        File.WriteAllText(Authority, authority.ExportCertificatePem());
    }

    /// <summary>The authority's certificate.</summary>
    public string Authority => FileOf("ca.pem");

    /// <summary>The path of a file in the folder.</summary>
    public string FileOf(string name) => Path.Combine(folder, name);

    /// <summary>Signs a certificate; it lies in `file.pem` and its key in `file.key`. Signed again, it replaces the one before.</summary>
    /// <param name="subject">Such as `CN=device`.</param>
    /// <param name="host">The DNS name of a server; null for a client.</param>
    public X509Certificate2 Sign(string file, string subject, string? host = null, bool expired = false, bool rsa = false)
    {
        using AsymmetricAlgorithm key = rsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var name = new X500DistinguishedName(subject);
        var request = key is RSA rsaKey
            ? new CertificateRequest(name, rsaKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(name, (ECDsa)key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(host is null ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1")], false));
        if (host is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(host);
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
        }

        var end = expired ? DateTimeOffset.UtcNow.AddHours(-1) : DateTimeOffset.UtcNow.AddDays(1);
        var generator = X509SignatureGenerator.CreateForECDsa(authority.GetECDsaPrivateKey()!);
        var certificate = request.Create(authority.SubjectName, generator, DateTimeOffset.UtcNow.AddDays(-1), end, RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(FileOf(file + ".key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(FileOf(file + ".pem"), certificate.ExportCertificatePem());
        return certificate;
    }

    /// <summary>Takes certificates back; the list lies in `crl.pem`.</summary>
    public string Revoke(params X509Certificate2[] certificates)
    {
        var list = new CertificateRevocationListBuilder();
        foreach (var one in certificates) list.AddEntry(one);
        var der = list.Build(authority, 1, DateTimeOffset.UtcNow.AddDays(1), HashAlgorithmName.SHA256);
        File.WriteAllText(FileOf("crl.pem"), PemEncoding.WriteString("X509 CRL", der));
        return FileOf("crl.pem");
    }

    /// <summary>Settings of a listener named `tls` on a free port of this machine, with the certificate in `server.pem`.</summary>
    public Dictionary<string, string?> Listener(string kind = "tls", string verify = "none") => new()
    {
        ["Listeners:plain:Address"] = "127.0.0.1",
        ["Listeners:plain:Port"] = "0",
        ["Listeners:tls:Kind"] = kind,
        ["Listeners:tls:Address"] = "127.0.0.1",
        ["Listeners:tls:Port"] = 0.ToString(CultureInfo.InvariantCulture),
        ["Listeners:tls:Tls:Certificate"] = FileOf("server.pem"),
        ["Listeners:tls:Tls:Key"] = FileOf("server.key"),
        ["Listeners:tls:Tls:CaCertificate"] = Authority,
        ["Listeners:tls:Tls:Verify"] = verify,
        ["Gateway:CertificateReloadInterval"] = "00:00:00.2",
    };

    public void Dispose()
    {
        authority.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
