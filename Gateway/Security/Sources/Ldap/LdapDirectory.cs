using System.Collections.Concurrent;
using System.Text;

namespace Broker.Gateway.Security.Sources.Ldap;

/// <summary>A directory: connections on which the broker is bound, and users' own binds.</summary>
/// <remarks>Thread-safe. As many connections are kept as there were requests at once.</remarks>
internal sealed class LdapDirectory(LdapOptions options) : IDisposable
{
    private readonly ConcurrentBag<LdapConnection> idle = [];
    private readonly byte[] password = Encoding.UTF8.GetBytes(options.ReadPassword());
    private readonly IReadOnlyList<(string Host, int Port)> servers = options.Servers(options.Tls == "off" ? LdapOptions.UsualPort : LdapOptions.UsualTlsPort);

    /// <summary>The entries that fit; if there are several only two of them.</summary>
    /// <exception cref="IOException">The directory refuses.</exception>
    public async Task<IReadOnlyList<LdapEntry>> FindAsync(string baseDn, LdapFilter filter, IReadOnlyList<string> attributes, CancellationToken cancellation)
    {
        if (idle.TryTake(out var kept))
        {
            try
            {
                return await FindAsync(kept, baseDn, filter, attributes, cancellation);
            }
            catch (IOException) when (!cancellation.IsCancellationRequested)
            {
                // It had been idle, and the server may have hung up: a new connection says whether it is there.
            }
        }

        return await FindAsync(await OpenBoundAsync(cancellation), baseDn, filter, attributes, cancellation);
    }

    /// <summary>Whether the directory takes a user's password.</summary>
    public async Task<bool> TakesAsync(string dn, ReadOnlyMemory<byte> given, CancellationToken cancellation)
    {
        if (given.IsEmpty) return false; // binding without a password is anonymous, and always taken [RFC 4513, 5.1.2]
        using var connection = await OpenAsync(cancellation);
        return await connection.BindAsync(dn, given, cancellation) switch
        {
            LdapMessages.Success => true,
            LdapMessages.InvalidCredentials => false,
            var code => throw new IOException($"the directory answers a user's bind with {code}"),
        };
    }

    public void Dispose()
    {
        while (idle.TryTake(out var connection)) connection.Dispose();
    }

    private async Task<IReadOnlyList<LdapEntry>> FindAsync(LdapConnection connection, string baseDn, LdapFilter filter, IReadOnlyList<string> attributes, CancellationToken cancellation)
    {
        var isSound = false;
        try
        {
            var (result, entries) = await connection.SearchAsync(baseDn, filter, attributes, cancellation);
            isSound = true;
            return result switch
            {
                LdapMessages.Success or LdapMessages.SizeLimitExceeded => entries,
                LdapMessages.NoSuchObject or LdapMessages.InvalidDnSyntax => [],
                _ => throw new IOException($"the directory answers a search with {result}"),
            };
        }
        finally
        {
            if (isSound) idle.Add(connection);
            else connection.Dispose();
        }
    }

    private async Task<LdapConnection> OpenBoundAsync(CancellationToken cancellation)
    {
        var connection = await OpenAsync(cancellation);
        try
        {
            var result = await connection.BindAsync(options.UserName, password, cancellation);
            return result == LdapMessages.Success ? connection : throw new IOException($"the directory answers the bind of {options.UserName} with {result}");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The first server that can be reached.</summary>
    private async Task<LdapConnection> OpenAsync(CancellationToken cancellation)
    {
        for (var at = 0; ; at++)
        {
            try
            {
                return await LdapConnection.OpenAsync(servers[at].Host, servers[at].Port, options, cancellation);
            }
            catch (Exception fault) when (at < servers.Count - 1 && fault is System.Net.Sockets.SocketException or IOException)
            {
                // The next one.
            }
        }
    }
}
