using System.Security.Cryptography;
using System.Text;
using Broker.Grains.Interfaces.Configuration;
using Org.BouncyCastle.Tls;

namespace Broker.Gateway.Transport.Tls;

/// <summary>Pre-shared keys by identity, from a file of lines `identity:key`, the key in hexadecimal, as mosquitto has them. Thread-safe.</summary>
internal sealed class PskKeys : TlsPskIdentityManager
{
    private readonly string section;
    private readonly string file;
    private volatile Snapshot current;

    /// <exception cref="StartException">The file cannot be read.</exception>
    public PskKeys(string section, string file)
    {
        (this.section, this.file) = (section, file);
        current = Load(Read());
    }

    /// <summary>Reads the file again if it has changed.</summary>
    /// <exception cref="StartException">It cannot be read: what was there stays.</exception>
    public bool Reload()
    {
        var text = Read();
        if (SHA256.HashData(text).AsSpan().SequenceEqual(current.Fingerprint)) return false;
        current = Load(text);
        return true;
    }

    /// <summary>None: it would tell strangers what to try.</summary>
    public byte[]? GetHint() => null;

    /// <summary>A copy of an identity's key, as the protocol wipes what it is given; null if there is none.</summary>
    public byte[]? GetPsk(byte[] identity) => current.Keys.TryGetValue(Encoding.UTF8.GetString(identity), out var key) ? [.. key] : null;

    private byte[] Read()
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"{section}:PskFile = '{file}' cannot be used: {fault.Message}", fault);
        }
    }

    private Snapshot Load(byte[] text)
    {
        var keys = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in Encoding.UTF8.GetString(text).Split('\n', StringSplitOptions.TrimEntries))
        {
            number++;
            if (line.Length == 0 || line[0] == '#') continue;
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var key = colon > 0 ? Hex(line.AsSpan(colon + 1)) : null;
            // The key itself is not told.
            if (key is not { Length: > 0 }) throw new StartException($"{section}:PskFile = '{file}' cannot be used: line {number} is not identity:key with the key in hexadecimal.");
            keys[line[..colon]] = key;
        }

        return new Snapshot(keys, SHA256.HashData(text));
    }

    private static byte[]? Hex(ReadOnlySpan<char> text)
    {
        var bytes = new byte[text.Length / 2];
        return Convert.FromHexString(text, bytes, out var read, out _) == System.Buffers.OperationStatus.Done && read == text.Length ? bytes : null;
    }

    private sealed record Snapshot(Dictionary<string, byte[]> Keys, byte[] Fingerprint);
}
