using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>Clients that others wrote, with their own reading of the standard. A tool that is not installed is skipped, unless this runs as root, who can install it.</summary>
public sealed class ClientInteropTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private string Port => broker.Address.Port.ToString(CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("mqttv31")]
    [InlineData("mqttv311")]
    [InlineData("mqttv5")]
    public async Task ExchangesMessages_WithMosquittoClients(string version)
    {
        Require(File.Exists("/usr/bin/mosquitto_pub") && File.Exists("/usr/bin/mosquitto_sub"), "apt-get install mosquitto-clients");
        await using var witness = await RawClient.ConnectAsync(broker, $"mosq-{version}");
        for (var qos = 0; qos <= 2; qos++)
        {
            var topic = $"mosq/{version}/{qos}";
            await RunAsync("/usr/bin/mosquitto_pub", "-p", Port, "-V", version, "-t", topic, "-q", $"{qos}", "-m", "kept", "-r", "-i", $"mp{version}");
            // Without clean session it comes back to what was queued while it was away.
            string[] durable = ["-p", Port, "-V", version, "-t", topic, "-q", $"{qos}", "-i", $"ms{version}{qos}", "-c", .. version == "mqttv5" ? ["-x", "100"] : Array.Empty<string>(), "-W", "20", "-v"];
            Assert.Equal($"{topic} kept", await RunAsync("/usr/bin/mosquitto_sub", [.. durable, "-C", "1"]));
            await RunAsync("/usr/bin/mosquitto_pub", "-p", Port, "-V", version, "-t", topic, "-q", $"{qos}", "-m", "while away", "-i", $"mp{version}");
            await witness.PublishAsync(topic, "last", (Grains.Interfaces.Messages.Qos)qos);
            Assert.Equal($"{topic} while away\n{topic} last", (await RunAsync("/usr/bin/mosquitto_sub", [.. durable, "-R", "-C", "2"])).ReplaceLineEndings("\n"));
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task ExchangesMessages_WithPaho(int level)
    {
        Require(File.Exists("/usr/lib/python3/dist-packages/paho/mqtt/client.py"), "apt-get install python3-paho-mqtt");
        Assert.Equal("ok", await RunAsync("/usr/bin/python3", Script("paho_client.py"), Port, $"{level}"));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task ExchangesMessages_WithMqttJs(int level)
    {
        var folder = Environment.GetEnvironmentVariable("BROKER_TEST_NODE") ?? Path.Combine(Path.GetTempPath(), "broker-test-node");
        Require(Directory.Exists(Path.Combine(folder, "node_modules", "mqtt")), $"npm install --prefix {folder} mqtt@5");
        Assert.Equal("ok", await RunAsync("node", Script("mqttjs_client.mjs"), Port, $"{level}", folder));
    }

    private static void Require(bool installed, string how)
    {
        if (installed) return;
        if (Environment.UserName == "root") Assert.Fail($"This test needs a client that is not installed: {how}");
        Assert.Skip($"not installed: {how}");
    }

    private static string Script(string name, [CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "Clients", name);

    /// <summary>Runs a program to its end; it must succeed.</summary>
    /// <returns>What it wrote, without the last line's end.</returns>
    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', arguments)} did not end within {Deadline.TotalSeconds} s. It wrote:\n{await output}{await errors}");
        }

        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{await output}{await errors}");
        return (await output).TrimEnd();
    }
}
