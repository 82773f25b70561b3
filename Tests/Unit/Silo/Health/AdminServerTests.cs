using System.Net;
using System.Net.Sockets;
using System.Text;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Nodes;
using Broker.Silo.Health;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Broker.Tests.Unit.Silo.Health;

public sealed class AdminServerTests : IAsyncLifetime
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private static readonly HttpClient Http = new() { Timeout = Deadline };
    private readonly Check[] checks = [new("store"), new("shards"), new("membership")];
    private readonly AdminServer server;

    public AdminServerTests() => server = Server("127.0.0.1", 0);

    public async ValueTask InitializeAsync() => await server.StartAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await server.StopAsync(CancellationToken.None);
        await server.DisposeAsync();
    }

    [Fact]
    public async Task IsLiveAndReady_WhenNothingIsWrong()
    {
        Assert.Equal((HttpStatusCode.OK, "live\n"), await GetAsync("/health/live"));
        Assert.Equal((HttpStatusCode.OK, "ready\n"), await GetAsync("/health/ready"));
    }

    [Fact]
    public async Task TellsEveryFaultAndStaysLive_WhileSomethingIsWrong()
    {
        checks[0].Fault = "it is full";
        checks[2].Fault = "the process is Joining";
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "store: it is full\nmembership: the process is Joining\n"), await GetAsync("/health/ready"));
        Assert.Equal((HttpStatusCode.OK, "live\n"), await GetAsync("/health/live"));
        (checks[0].Fault, checks[2].Fault) = (null, null);
        Assert.Equal((HttpStatusCode.OK, "ready\n"), await GetAsync("/health/ready"));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/health")]
    [InlineData("/health/ready/more")]
    [InlineData("/health/dead")]
    [InlineData("/..%2fhealth%2flive")]
    public async Task IsNotFound_WhenThePathIsUnknown(string path) => Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(path)).Code);

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("BREW")]
    public async Task IsNotAllowed_WhenTheMethodIsWrong(string method)
    {
        foreach (var path in new[] { "/health/live", "/health/ready" })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), Address(path));
            using var response = await Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("\0\u0001\u0002\u0003\r\n\r\n")]
    [InlineData("GET\r\n\r\n")]
    [InlineData("GET /health/live HTTP/9.9\r\n\r\n")]
    [InlineData("GET /health/live HTTP/1.1\r\n\r\n")] // no host
    [InlineData("GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("\u0010\u0000\u0000\u0004MQTT")]
    public async Task GoesOn_WhenARequestIsGarbage(string garbage)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, server.Port);
        using var reader = new StreamReader(socket.GetStream(), Encoding.Latin1);
        await reader.BaseStream.WriteAsync(Encoding.Latin1.GetBytes(garbage));
        socket.Client.Shutdown(SocketShutdown.Send);
        var answer = await reader.ReadToEndAsync().WaitAsync(Deadline);
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 400 ", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 505 ", StringComparison.Ordinal), answer);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/health/live")).Code);
    }

    [Fact]
    public async Task SaysWhichSettingToChange_WhenThePortIsInUse()
    {
        await using var second = Server("127.0.0.1", server.Port);
        var fault = await Assert.ThrowsAsync<StartException>(() => second.StartAsync(CancellationToken.None));
        Assert.Contains($"Admin:Address, Admin:Port = 127.0.0.1:{server.Port} cannot be used: ", fault.Message, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/health/live")).Code);
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("192.0.2.1")] // set aside for documents: no machine has it
    public async Task SaysWhichSettingToChange_WhenTheAddressCannotBeHad(string address)
    {
        await using var second = Server(address, 0);
        var fault = await Assert.ThrowsAsync<StartException>(() => second.StartAsync(CancellationToken.None));
        Assert.Contains($"Admin:Address, Admin:Port = {address}:0 cannot be used: ", fault.Message, StringComparison.Ordinal);
    }

    private AdminServer Server(string address, int port) => new(Options.Create(new AdminOptions { Address = address, Port = port }), checks, [], new AdminPorts(), NullLoggerFactory.Instance);

    private Uri Address(string path) => new($"http://127.0.0.1:{server.Port}{path}");

    private async Task<(HttpStatusCode Code, string Body)> GetAsync(string path)
    {
        using var response = await Http.GetAsync(Address(path));
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private sealed class Check(string name) : IReadiness
    {
        public string Name => name;

        public string? Fault { get; set; }
    }
}
