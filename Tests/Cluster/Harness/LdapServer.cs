using System.Globalization;
using System.Net.Sockets;
using Broker.Tests.Unit;

namespace Broker.Tests.Cluster.Harness;

/// <summary>An OpenLDAP server of the tests' own, with the sample schema: a temporary folder, a free port of 127.0.0.1. May be killed, frozen and started again on the same data.</summary>
internal sealed class LdapServer : IAsyncDisposable
{
    public const string Suffix = "dc=emqx,dc=io", RootDn = "cn=root,dc=emqx,dc=io", Password = "public";
    private readonly PrivateProcess process = new("slapd", "pid");

    /// <summary>Its port, the same after every start.</summary>
    public int Port { get; } = FreePorts.Find(2);

    /// <summary>Its port for TLS, if it was given certificates.</summary>
    public int TlsPort => Port + 1;

    /// <summary>Makes a server with entries and starts it.</summary>
    /// <param name="ldif">The entries.</param>
    /// <param name="tls">Its certificate, the key of that, and the authority; null speaks no TLS.</param>
    public static async Task<LdapServer> StartNewAsync(string ldif, (string Certificate, string Key, string Authority)? tls = null)
    {
        var server = new LdapServer();
        try
        {
            await server.InstallAsync(ldif, tls);
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it on the data it has, and waits until it answers.</summary>
    public Task StartAsync() => process.StartAsync(
        PrivateProcess.Program("slapd", "slapd"),
        ["-f", Configuration, "-h", string.Create(CultureInfo.InvariantCulture, $"ldap://127.0.0.1:{Port}/ ldaps://127.0.0.1:{TlsPort}/"), "-d", "0"],
        AnswersAsync);

    public Task KillAsync() => process.KillAsync();

    public void Freeze() => process.Freeze();

    public void Thaw() => process.Thaw();

    public ValueTask DisposeAsync() => process.DisposeAsync();

    private string Configuration => Path.Combine(process.Folder, "slapd.conf");

    private async Task InstallAsync(string ldif, (string Certificate, string Key, string Authority)? tls)
    {
        var data = Directory.CreateDirectory(Path.Combine(process.Folder, "data")).FullName;
        string[] secure = tls is var (certificate, key, authority) ? [$"TLSCertificateFile {certificate}", $"TLSCertificateKeyFile {key}", $"TLSCACertificateFile {authority}"] : [];
        await File.WriteAllLinesAsync(Configuration,
        [
            .. new[] { "core", "cosine" }.Select(name => $"include /etc/ldap/schema/{name}.schema"),
            $"include {Path.Combine(SourceTree.Root, "deploy", "access", "mqtt.schema")}",
            $"pidfile {Path.Combine(process.Folder, "pid")}", "modulepath /usr/lib/ldap", "moduleload back_mdb", .. secure,
            "database mdb", $"suffix \"{Suffix}\"", $"rootdn \"{RootDn}\"", $"rootpw {Password}", $"directory {data}",
        ]);
        var entries = Path.Combine(process.Folder, "entries.ldif");
        await File.WriteAllTextAsync(entries, ldif);
        await PrivateProcess.RunAsync(PrivateProcess.Program("slapadd", "slapd"), "-f", Configuration, "-l", entries);
    }

    private async Task<bool> AnswersAsync()
    {
        using var probe = new TcpClient();
        try
        {
            await probe.ConnectAsync("127.0.0.1", Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
