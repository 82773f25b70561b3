using System.Diagnostics;
using System.Globalization;

namespace Broker.Bench;

/// <summary>QoS 1 to `$delayed/…` at a running broker: every message is on disk before its PUBACK. Then what each that waits takes in memory.</summary>
/// <remarks>Arguments: port, process (0: memory is not looked at), publishers (100), window (64), messages (1,000,000). The broker needs `--Modules:Delayed true
/// --Delayed:MaxMessages 0`, and is to be fresh.</remarks>
internal static class DelayedBenchmark
{
    private const int Payload = 64;

    public static void Run(string[] arguments) =>
        RunAsync(Number(arguments, 0, 1883), Number(arguments, 1, 0), Number(arguments, 2, 100), Number(arguments, 3, 64), Number(arguments, 4, 1_000_000)).GetAwaiter().GetResult();

    private static int Number(string[] arguments, int at, int otherwise) => at < arguments.Length ? int.Parse(arguments[at], CultureInfo.InvariantCulture) : otherwise;

    private static async Task RunAsync(int port, int process, int publishers, int window, int messages)
    {
        // Warm, so that what the first messages make the broker load is not taken for theirs.
        await Task.WhenAll(Enumerable.Range(0, publishers).Select(n => PublishAsync(port, $"warm-{n}", window, 200)));
        var (before, clock) = (ResidentBytes(process), Stopwatch.StartNew());
        await Task.WhenAll(Enumerable.Range(0, publishers).Select(n => PublishAsync(port, $"pub-{n}", window, messages / publishers)));
        var seconds = clock.Elapsed.TotalSeconds;
        Console.WriteLine($"{messages / seconds:N0} messages/s stored and acknowledged, {messages:N0} in {seconds:F1} s");
        if (process == 0) return;
        Console.WriteLine($"{(ResidentBytes(process) - before) / (double)messages:N1} B of resident memory each, {ResidentBytes(process) / 1048576.0:N0} MiB in all");
    }

    private static async Task PublishAsync(int port, string clientId, int window, int count)
    {
        using var client = await RawClient.ConnectAsync(port, clientId, clean: true);
        var packet = RawClient.Publish($"$delayed/86400/bench/{clientId}", 1, 1, Payload);
        var answers = new byte[window * 4];
        var packets = Enumerable.Repeat(packet, window).SelectMany(one => one).ToArray();
        var (free, kept) = (window, 0);
        for (int sent = 0, done = 0; done < count;)
        {
            var now = Math.Min(free, count - sent);
            await client.SendAsync(packets.AsMemory(0, now * packet.Length));
            (sent, free) = (sent + now, free - now);
            kept += await client.ReceiveAsync(answers.AsMemory(kept), CancellationToken.None);
            (done, free) = (done + kept / 4, free + kept / 4);
            kept %= 4; // an answer is 40 02 and the identifier, which is the same for all
        }
    }

    private static long ResidentBytes(int process)
    {
        if (process == 0) return 0;
        using var broker = Process.GetProcessById(process);
        return broker.WorkingSet64;
    }
}
