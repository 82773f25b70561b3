using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Broker.Gateway.Transport.Tls;

/// <summary>What a certificate can give as a name, as EMQ X's peer_cert_as_username and peer_cert_as_clientid have it.</summary>
internal static class CertificateIdentity
{
    private const string CommonNameOid = "2.5.4.3";

    /// <summary>The part that `cn`, `dn` (subject), `crt` (DER, a character for each byte), `pem` (base64 of DER) or `md5` (of DER) stands for; null if it has none.</summary>
    public static string? Of(X509Certificate2 certificate, string part) => part switch
    {
        "cn" => CommonName(certificate),
        "dn" => certificate.Subject,
        "crt" => Encoding.Latin1.GetString(certificate.RawData),
        "pem" => Convert.ToBase64String(certificate.RawData),
#pragma warning disable CA5351 // a name, not a proof: EMQ X has it
        _ => Convert.ToHexStringLower(MD5.HashData(certificate.RawData)),
#pragma warning restore CA5351
    };

    /// <summary>The common name in the subject; null if it has none.</summary>
    public static string? CommonName(X509Certificate2 certificate) => certificate.SubjectName.EnumerateRelativeDistinguishedNames()
        .Where(name => !name.HasMultipleElements && name.GetSingleElementType().Value == CommonNameOid)
        .Select(name => name.GetSingleElementValue()).FirstOrDefault();
}
