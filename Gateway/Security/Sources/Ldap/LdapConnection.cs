using System.Formats.Asn1;
using System.Net.Security;
using System.Net.Sockets;

namespace Broker.Gateway.Security.Sources.Ldap;

/// <summary>One connection to a directory, for one request at a time.</summary>
/// <remarks>Why not System.DirectoryServices.Protocols: on Linux it needs the native libldap, holds a thread for every request, and cannot check a server against an authority of ours.</remarks>
internal sealed class LdapConnection : IDisposable
{
    private const int LongestMessage = 1024 * 1024;
    private readonly TcpClient socket = new() { NoDelay = true };
    private Stream stream = Stream.Null;
    private int number;

    /// <summary>Connects; nobody is bound yet.</summary>
    /// <exception cref="SocketException">Nobody answers.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The server is another.</exception>
    public static async Task<LdapConnection> OpenAsync(string host, int port, TlsClientOptions tls, CancellationToken cancellation)
    {
        var connection = new LdapConnection();
        try
        {
            await connection.socket.ConnectAsync(host, port, cancellation);
            connection.stream = connection.socket.GetStream();
            if (tls.Tls == "off") return connection;
            var secure = new SslStream(connection.stream);
            connection.stream = secure;
            await secure.AuthenticateAsClientAsync(TlsClient.Make(tls, host), cancellation);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Binds.</summary>
    /// <returns>The code of the result.</returns>
    public async Task<int> BindAsync(string dn, ReadOnlyMemory<byte> password, CancellationToken cancellation)
    {
        await stream.WriteAsync(LdapMessages.Bind(++number, dn, password.Span), cancellation);
        return await ReadResultAsync(null, cancellation);
    }

    /// <summary>Searches.</summary>
    /// <returns>The code of the result, and the entries.</returns>
    public async Task<(int Result, List<LdapEntry> Entries)> SearchAsync(string baseDn, LdapFilter filter, IEnumerable<string> attributes, CancellationToken cancellation)
    {
        await stream.WriteAsync(LdapMessages.Search(++number, baseDn, filter, attributes), cancellation);
        var entries = new List<LdapEntry>();
        return (await ReadResultAsync(entries, cancellation), entries);
    }

    public void Dispose()
    {
        stream.Dispose();
        socket.Dispose();
    }

    /// <exception cref="IOException">The server hangs up, or what it says makes no sense.</exception>
    private async Task<int> ReadResultAsync(List<LdapEntry>? entries, CancellationToken cancellation)
    {
        while (true)
        {
            var (answered, entry, result) = Read(await ReadMessageAsync(cancellation));
            if (answered == 0) throw new IOException($"the directory hangs up: {result}");
            if (answered != number) throw new IOException("the directory answers what was not asked");
            if (entry is not null) entries?.Add(entry);
            if (result is { } code) return code;
        }
    }

    private static (int Number, LdapEntry? Entry, int? Result) Read(byte[] message)
    {
        try
        {
            return LdapMessages.Read(message);
        }
        catch (AsnContentException fault)
        {
            throw new IOException("the directory does not speak LDAP", fault);
        }
    }

    /// <summary>Tag, length and content of one message.</summary>
    private async Task<byte[]> ReadMessageAsync(CancellationToken cancellation)
    {
        var head = new byte[2];
        await stream.ReadExactlyAsync(head, cancellation);
        int length = head[1];
        if (length > 0x7F) // in the long form: the number of the bytes that follow and hold it
        {
            var bytes = new byte[length & 0x7F];
            if (bytes.Length is 0 or > 4) throw new IOException("the directory does not speak LDAP");
            await stream.ReadExactlyAsync(bytes, cancellation);
            head = [.. head, .. bytes];
            length = bytes.Aggregate(0, (sum, one) => (sum << 8) | one);
        }

        if (length is < 0 or > LongestMessage) throw new IOException("the directory's answer is too long");
        var message = new byte[head.Length + length];
        head.CopyTo(message, 0);
        await stream.ReadExactlyAsync(message.AsMemory(head.Length), cancellation);
        return message;
    }
}
