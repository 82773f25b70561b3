using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Transport;

/// <summary>TLS with certificates: versions, whom each side trusts, names, files that change.</summary>
public sealed class TlsTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly TestCertificates certificates = new();

    public TlsTests() => certificates.Sign("server", "CN=server", "localhost");

    public void Dispose() => certificates.Dispose();

    [Theory]
    [InlineData("tlsv1.2")]
    [InlineData("tlsv1.3")]
    public async Task ExchangesMessages_WithMosquittoClients(string version)
    {
        ExternalClient.RequireMosquitto();
        await using var broker = await BrokerHost.StartAsync(certificates.Listener());
        string[] client = ["-h", "localhost", "-p", Port(broker), "--cafile", certificates.Authority, "--tls-version", version, "-t", "tls/topic", "-q", "1"];
        Assert.Equal((0, ""), await ExternalClient.RunAsync(ExternalClient.Publisher, [.. client, "-m", "kept", "-r"]));
        Assert.Equal((0, "kept"), await ExternalClient.RunAsync(ExternalClient.Subscriber, [.. client, "-C", "1", "-W", "20"]));
    }

    [Fact]
    public async Task ClientRefuses_WhenItTrustsAnotherAuthority()
    {
        ExternalClient.RequireMosquitto();
        using var other = new TestCertificates("Another CA");
        await using var broker = await BrokerHost.StartAsync(certificates.Listener());
        var (code, _) = await ExternalClient.RunAsync(ExternalClient.Publisher, "-h", "localhost", "-p", Port(broker), "--cafile", other.Authority, "-t", "t", "-m", "m");
        Assert.NotEqual(0, code);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("good", true)]
    [InlineData("expired", false)]
    [InlineData("revoked", false)]
    [InlineData("stranger", false)]
    public async Task OnlyGoodCertificatesConnect_WhenRequired(string? file, bool accepted)
    {
        ExternalClient.RequireMosquitto();
        using var other = new TestCertificates("Another CA");
        certificates.Sign("good", "CN=good");
        certificates.Sign("expired", "CN=expired", expired: true);
        other.Sign("stranger", "CN=stranger");
        var settings = certificates.Listener(verify: "required");
        settings["Listeners:tls:Tls:RevocationList"] = certificates.Revoke(certificates.Sign("revoked", "CN=revoked"));
        await using var broker = await BrokerHost.StartAsync(settings);
        var from = file == "stranger" ? other : certificates;
        string[] shown = file is null ? [] : ["--cert", from.FileOf(file + ".pem"), "--key", from.FileOf(file + ".key")];
        var (code, _) = await ExternalClient.RunAsync(
            ExternalClient.Publisher, ["-h", "localhost", "-p", Port(broker), "--cafile", certificates.Authority, "-t", "t", "-m", "m", "-q", "1", .. shown]);
        Assert.Equal(accepted, code == 0);
    }

    [Theory]
    [InlineData("cn", "device 7")]
    [InlineData("dn", "CN=device 7, O=Works")]
    [InlineData("crt", null)] // DER
    [InlineData("pem", null)]
    [InlineData("md5", null)] // of DER
    public async Task CertificateNamesTheClient_WhenItIsToldTo(string part, string? expected)
    {
        certificates.Sign("device", "CN=device 7, O=Works");
        var settings = certificates.Listener(verify: "optional");
        (settings["Listeners:tls:IdentityAsUserName"], settings["Listeners:tls:IdentityAsClientId"]) = (part, "cn");
        await using var broker = await BrokerHost.StartAsync(settings);
        using var shown = X509Certificate2.CreateFromPemFile(certificates.FileOf("device.pem"), certificates.FileOf("device.key"));
        await using var tls = await OpenAsync(broker, certificate: shown);
        await ConnectAsync(tls, "ignored");
        expected ??= part switch
        {
            "crt" => Encoding.Latin1.GetString(shown.RawData),
            "pem" => Convert.ToBase64String(shown.RawData),
            _ => Convert.ToHexStringLower(CryptographicOperations.HashData(new HashAlgorithmName("MD5"), shown.RawData)),
        };
        var client = Assert.Single(broker.Services.GetRequiredService<ConnectionTable>().Enumerate()).Client!;
        Assert.Equal(("device 7", expected, "tls", "device 7", "CN=device 7, O=Works"), (client.ClientId, client.UserName, client.Listener, client.CommonName, client.Subject));
    }

    [Theory]
    [InlineData("localhost", "CN=server")]
    [InlineData("other.example", "CN=other")]
    [InlineData("a.wild.example", "CN=wild")]
    [InlineData("unknown.example", "CN=server")]
    public async Task CertificateIsTheNames_WhenThereAreSeveral(string host, string subject)
    {
        certificates.Sign("other", "CN=other", "other.example", rsa: true);
        certificates.Sign("wild", "CN=wild", "*.wild.example");
        var settings = certificates.Listener();
        foreach (var (file, i) in new[] { ("other", 0), ("wild", 1) })
        {
            settings[$"Listeners:tls:Tls:Certificates:{i}:Certificate"] = certificates.FileOf(file + ".pem");
            settings[$"Listeners:tls:Tls:Certificates:{i}:Key"] = certificates.FileOf(file + ".key");
        }

        await using var broker = await BrokerHost.StartAsync(settings);
        await using var tls = await OpenAsync(broker, host);
        Assert.Equal(subject, tls.RemoteCertificate!.Subject);
    }

    [Fact]
    public async Task NewCertificateIsShown_WhenItsFileChanges()
    {
        await using var broker = await BrokerHost.StartAsync(certificates.Listener());
        await using var stays = await OpenAsync(broker);
        await ConnectAsync(stays, "stays");
        certificates.Sign("server", "CN=renewed", "localhost");
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            deadline.Token.ThrowIfCancellationRequested();
            await using var tls = await OpenAsync(broker);
            if (tls.RemoteCertificate!.Subject == "CN=renewed") break;
        }

        await stays.WriteAsync(new byte[] { 0xC0, 0 });
        var answer = new byte[2];
        await stays.ReadExactlyAsync(answer).AsTask().WaitAsync(Deadline);
        Assert.Equal(0xD0, answer[0]);
    }

    [Fact]
    public async Task OldCertificateStays_WhenTheNewFileIsNoCertificate()
    {
        await using var broker = await BrokerHost.StartAsync(certificates.Listener());
        File.WriteAllText(certificates.FileOf("server.pem"), "nonsense");
        await using var tls = await OpenAsync(broker);
        Assert.Equal("CN=server", tls.RemoteCertificate!.Subject);
    }

    [Theory]
    [InlineData("1.2", SslProtocols.Tls12)]
    [InlineData("1.3", SslProtocols.Tls13)]
    public async Task OnlyTheseVersionsAreSpoken_WhenConfigured(string versions, SslProtocols expected)
    {
        var settings = certificates.Listener();
        settings["Listeners:tls:Tls:Versions"] = versions;
        await using var broker = await BrokerHost.StartAsync(settings);
        await using var tls = await OpenAsync(broker);
        Assert.Equal(expected, tls.SslProtocol);
    }

    [Fact]
    public async Task LargeMessagesComeBackWhole_WhenTheClientReadsSlowly()
    {
        await using var broker = await BrokerHost.StartAsync(certificates.Listener());
        await using var tls = await OpenAsync(broker);
        await ConnectAsync(tls, "large");
        await tls.WriteAsync(new byte[] { 0x82, 6, 0, 1, 0, 1, (byte)'t', 0 });
        await tls.ReadExactlyAsync(new byte[5]).AsTask().WaitAsync(Deadline);
        const int Count = 20;
        var payload = new byte[500_000];
        Random.Shared.NextBytes(payload);
        var packet = WirePacket.Publish("t", payload, Qos.AtMostOnce, 0, level: 4);
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < Count; i++) await tls.WriteAsync(packet);
        });
        var back = new byte[packet.Length];
        for (var i = 0; i < Count; i++)
        {
            await tls.ReadExactlyAsync(back).AsTask().WaitAsync(Deadline);
            Assert.True(back.AsSpan().SequenceEqual(packet));
        }

        await writing.WaitAsync(Deadline);
    }

    [Fact]
    public async Task StartFails_WhenTheCertificateCannotBeRead()
    {
        var settings = certificates.Listener();
        settings["Listeners:tls:Tls:Certificate"] = "/nowhere/server.pem";
        var fault = await Assert.ThrowsAnyAsync<Exception>(() => BrokerHost.StartAsync(settings));
        Assert.Contains("Listeners:tls:Tls:Certificate = '/nowhere/server.pem'", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ExchangesMessages_WithPreSharedKeys()
    {
        ExternalClient.RequireMosquitto();
        await File.WriteAllTextAsync(certificates.FileOf("psk"), "# devices\nnobody:00ff\ndevice:0123456789abcdef\n");
        var settings = certificates.Listener();
        (settings["Listeners:tls:Tls:PskFile"], settings["Listeners:tls:Tls:Certificate"]) = (certificates.FileOf("psk"), null);
        settings["Listeners:tls:IdentityAsUserName"] = "cn";
        await using var broker = await BrokerHost.StartAsync(settings);
        string[] client = ["-h", "localhost", "-p", Port(broker), "-t", "psk", "-q", "1"];
        string[] key = ["--psk-identity", "device", "--psk", "0123456789abcdef"];
        Assert.Equal((0, ""), await ExternalClient.RunAsync(ExternalClient.Publisher, [.. client, .. key, "-m", "kept", "-r"]));
        Assert.Equal((0, "kept"), await ExternalClient.RunAsync(ExternalClient.Subscriber, [.. client, .. key, "-C", "1", "-W", "20"]));
        foreach (var wrong in new string[][] { ["--psk-identity", "device", "--psk", "0123"], ["--psk-identity", "stranger", "--psk", "0123456789abcdef"] })
        {
            var (code, _) = await ExternalClient.RunAsync(ExternalClient.Publisher, [.. client, .. wrong, "-m", "no"]);
            Assert.NotEqual(0, code);
        }
    }

    private static string Port(BrokerHost broker) => broker.PortOf("tls").ToString(CultureInfo.InvariantCulture);

    /// <summary>A TLS connection that takes any server.</summary>
    private static async Task<SslStream> OpenAsync(BrokerHost broker, string host = "localhost", X509Certificate2? certificate = null)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", broker.PortOf("tls"));
        var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = host,
            RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
            ClientCertificates = certificate is null ? null : [certificate],
        }).WaitAsync(Deadline);
        return tls;
    }

    /// <summary>Sends CONNECT of 3.1.1 and expects CONNACK.</summary>
    private static async Task ConnectAsync(SslStream tls, string clientId)
    {
        await tls.WriteAsync(WirePacket.Connect(clientId, 4, true, 0, null));
        var connack = new byte[4];
        await tls.ReadExactlyAsync(connack).AsTask().WaitAsync(Deadline);
        Assert.Equal([0x20, 2, 0, 0], connack);
    }
}
