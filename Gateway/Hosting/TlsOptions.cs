using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Hosting;

/// <summary>A certificate and its key, as PEM files.</summary>
internal class CertificateFiles
{
    /// <summary>The server's certificate, and behind it those of the authorities between it and the root.</summary>
    public string? Certificate { get; set; }

    /// <summary>Its private key; null if it stands in the certificate's file.</summary>
    public string? Key { get; set; }

    /// <summary>What the key is encrypted with.</summary>
    public string? KeyPassword { get; set; }
}

/// <summary>How a listener speaks TLS. The files are read again when they change.</summary>
internal sealed class TlsOptions : CertificateFiles
{
    /// <summary>Certificates for other names: the first that is valid for the host name the client asks for (SNI) is taken.</summary>
    public List<CertificateFiles> Certificates { get; set; } = [];

    /// <summary>Authorities that sign the certificates of clients, as a PEM file.</summary>
    public string? CaCertificate { get; set; }

    /// <summary>Whether clients must show a certificate.</summary>
    [RegularExpression("none|optional|required")]
    public string Verify { get; set; } = "none";

    /// <summary>Certificates of clients that count no more: a CRL file, PEM or DER.</summary>
    public string? RevocationList { get; set; }

    /// <summary>Versions of TLS, with commas between them.</summary>
    [RegularExpression(@"1\.2,1\.3|1\.2|1\.3")]
    public string Versions { get; set; } = "1.2,1.3";

    /// <summary>How long a handshake may take.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Lines `identity:key`, the key in hexadecimal: the listener then speaks TLS 1.2 with pre-shared keys and has no certificate.</summary>
    public string? PskFile { get; set; }

    public bool AsksForCertificate => Verify != "none";
}
