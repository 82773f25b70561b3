using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Broker.Grains.Interfaces.Configuration;
using Microsoft.Extensions.Logging;

namespace Broker.Silo.Health;

/// <summary>The admin ports' certificate and key: read again when a handshake finds their files changed. Thread-safe.</summary>
internal sealed partial class AdminCertificate
{
    private readonly string file;
    private readonly string? keyFile;
    private readonly ILogger log;
    private readonly Lock gate = new();
    private byte[] fingerprint;
    private X509Certificate2 certificate;

    /// <exception cref="StartException">They cannot be read.</exception>
    public AdminCertificate(AdminOptions options, ILogger<AdminCertificate> log)
    {
        (file, keyFile, this.log) = (options.Certificate!, options.Key, log);
        try
        {
            fingerprint = Fingerprint(); // first: what changes while it is read is read again
            certificate = Read();
        }
        catch (Exception fault) when (IsUnreadable(fault))
        {
            throw new StartException($"Admin:Certificate = {file}, Admin:Key = {keyFile}: {fault.Message}", fault);
        }
    }

    /// <summary>What is shown in a handshake now. Files that cannot be read, or do not fit each other, leave the one there was.</summary>
    public X509Certificate2 Current
    {
        get
        {
            lock (gate)
            {
                try
                {
                    var found = Fingerprint();
                    if (found.AsSpan().SequenceEqual(fingerprint)) return certificate;
                    fingerprint = found;
                    certificate = Read(); // a running handshake may use the one before: it is left to the collector
                    LogReloaded(log, file);
                }
                catch (Exception fault) when (IsUnreadable(fault))
                {
                    LogKept(log, file, fault.Message);
                }

                return certificate;
            }
        }
    }

    private static bool IsUnreadable(Exception fault) => fault is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException;

    private X509Certificate2 Read()
    {
        using var read = X509Certificate2.CreateFromPemFile(file, keyFile);
        return X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null); // a key from PEM is one for this moment only on some systems
    }

    /// <summary>By content: a mounted secret's file is a link whose own time of change stays.</summary>
    private byte[] Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(File.ReadAllBytes(file));
        if (keyFile is { Length: > 0 } key) hash.AppendData(File.ReadAllBytes(key));
        return hash.GetHashAndReset();
    }

    [LoggerMessage(1, LogLevel.Information, "The admin ports show the new certificate of {File}")]
    private static partial void LogReloaded(ILogger log, string file);

    [LoggerMessage(2, LogLevel.Warning, "The admin ports go on with the certificate they have, {File} cannot be used: {Reason}")]
    private static partial void LogKept(ILogger log, string file, string reason);
}
