using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Security.Sources;

/// <summary>How a server proves itself to the broker, and the broker to it.</summary>
internal abstract class TlsClientOptions
{
    /// <summary>`off`, `on` (whatever certificate the server has), or `verify` (its authority and its name).</summary>
    [RegularExpression("off|on|verify")]
    public string Tls { get; set; } = "off";

    /// <summary>PEM certificates of the authorities that may have signed the server's; empty are the system's.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>PEM certificate that the broker shows; empty shows none.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>PEM private key of that certificate.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>Settings that name a file.</summary>
    public virtual IEnumerable<(string Key, string File)> Files =>
        [(nameof(CaFile), CaFile), (nameof(CertificateFile), CertificateFile), (nameof(KeyFile), KeyFile)];
}
