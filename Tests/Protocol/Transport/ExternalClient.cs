using System.Diagnostics;
using System.Runtime.CompilerServices;
using Xunit;

namespace Broker.Tests.Protocol.Transport;

/// <summary>Runs a client program of others to its end.</summary>
internal static class ExternalClient
{
    public const string Subscriber = "/usr/bin/mosquitto_sub";
    public const string Publisher = "/usr/bin/mosquitto_pub";

    /// <summary>The Python that has paho.</summary>
    public static readonly string Python = Environment.GetEnvironmentVariable("BROKER_TESTS_PYTHON") ?? "/usr/bin/python3";

    /// <summary>The folder of `node_modules`.</summary>
    public static readonly string Modules = Environment.GetEnvironmentVariable("BROKER_TEST_NODE") ?? Path.Combine(Path.GetTempPath(), "broker-test-node");
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    /// <summary>The folder of MQTT.js.</summary>
    public static string MqttJs => Path.Combine(Modules, "node_modules", "mqtt");

    /// <summary>The path of a script of `Clients`.</summary>
    public static string Script(string name) => Path.Combine(Path.GetDirectoryName(Here())!, "..", "Clients", name);

    /// <summary>Skips the test where it is not installed, unless this runs as root, who can install it.</summary>
    public static void Require(bool installed, string how)
    {
        if (installed) return;
        if (Environment.UserName == "root") Assert.Fail($"This test needs a client that is not installed: {how}");
        Assert.Skip($"not installed: {how}");
    }

    public static void RequireMosquitto() => Require(File.Exists(Subscriber) && File.Exists(Publisher), "apt-get install mosquitto-clients");

    public static void RequireMqttJs() => Require(Directory.Exists(MqttJs), $"npm install --prefix {Modules} mqtt@5");

    /// <returns>How it ended, and all it wrote.</returns>
    public static async Task<(int Code, string Output)> RunAsync(string program, params string[] arguments)
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

        return (process.ExitCode, (await output + await errors).Trim());
    }

    private static string Here([CallerFilePath] string here = "") => here;
}
