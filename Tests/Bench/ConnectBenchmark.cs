using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Broker.Bench;

/// <summary>What a CONNECT costs a broker, in processor time and memory: plain or over TLS, with or without a user name and password.</summary>
internal static class ConnectBenchmark
{
    private const int AtOnce = 32;
    private const int Identifiers = 1000;

    /// <param name="args">`PID PORT`, and then any of `count=10000`, `user=…` and `password=…`, `tls`, and `hold`, which keeps the connections open and tells what memory they take.</param>
    public static void Run(string[] args)
    {
        if (args.Length < 2)
        {
            Console.Error.WriteLine("connects PID PORT [count=N] [user=NAME password=TEXT] [tls] [hold]");
            return;
        }

        string? Option(string name) => args.FirstOrDefault(one => one.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];
        var plan = new Plan(
            int.Parse(args[0], CultureInfo.InvariantCulture), int.Parse(args[1], CultureInfo.InvariantCulture), int.Parse(Option("count") ?? "10000", CultureInfo.InvariantCulture),
            Option("user"), Option("password"), args.Contains("tls"), args.Contains("hold"));
        RunAsync(plan).GetAwaiter().GetResult();
    }

    private sealed record Plan(int Process, int Port, int Count, string? User, string? Password, bool IsTls, bool IsHeld);

    private static async Task RunAsync(Plan plan)
    {
        if (!plan.IsHeld) await ConnectAsync(plan, Identifiers); // what is remembered of clients is then
        var (memory, processor, clock) = (Resident(plan.Process), ProcessorTime(plan.Process), Stopwatch.StartNew());
        var held = await ConnectAsync(plan, plan.Count);
        var took = clock.Elapsed;
        var used = ProcessorTime(plan.Process) - processor;
        Console.WriteLine($"{plan.Count} connections: {plan.Count / took.TotalSeconds:F0} a second, {used.TotalMicroseconds / plan.Count:F0} µs of the broker's processor time each"
            + (plan.IsHeld ? $", {(Resident(plan.Process) - memory) / plan.Count} bytes of its memory each" : ""));
        foreach (var one in held) await one.DisposeAsync();
    }

    /// <returns>Those that are held.</returns>
    private static async Task<List<Stream>> ConnectAsync(Plan plan, int count)
    {
        var held = new List<Stream>();
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (number, cancellation) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, LingerState = new LingerOption(true, 0) };
            await socket.ConnectAsync(IPAddress.Loopback, plan.Port, cancellation);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (plan.IsTls)
            {
                var tls = new SslStream(stream, false, (_, certificate, _, _) => certificate is not null);
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", AllowTlsResume = false }, cancellation);
                stream = tls;
            }

            await stream.WriteAsync(Connect(plan.IsHeld ? $"held-{number}" : $"c-{number % Identifiers}-{number / Identifiers % 2}", plan), cancellation);
            var connack = new byte[4];
            await stream.ReadExactlyAsync(connack, cancellation);
            if (connack[3] != 0) throw new IOException($"CONNACK {connack[3]}");
            if (plan.IsHeld)
            {
                lock (held) held.Add(stream);
                return;
            }

            await stream.WriteAsync(new byte[] { 0xE0, 0 }, cancellation);
            await stream.DisposeAsync();
        });
        return held;
    }

    private static byte[] Connect(string clientId, Plan plan)
    {
        var flags = (byte)(2 | (plan.User is null ? 0 : 0x80) | (plan.Password is null ? 0 : 0x40));
        byte[] body = [0, 4, .. "MQTT"u8, 4, flags, 0, 0, .. Text(clientId), .. plan.User is null ? [] : Text(plan.User), .. plan.Password is null ? [] : Text(plan.Password)];
        return [0x10, (byte)body.Length, .. body];
    }

    private static byte[] Text(string text) => [(byte)(text.Length >> 8), (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];

    private static long Resident(int process) => Process.GetProcessById(process).WorkingSet64;

    private static TimeSpan ProcessorTime(int process) => Process.GetProcessById(process).TotalProcessorTime;
}
