using System.Text;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Gateway.Security.BuiltIn;
using Broker.Gateway.Security.Passwords;
using Broker.Grains.Interfaces.Records;
using Broker.Grains.Records;

namespace Broker.Bench;

/// <summary>`users [count]`: bytes for each of the broker's own users at the owner and in every process, changes and authentications a second.</summary>
internal static class UsersBenchmark
{
    private const int PageSize = 1_000;
    private const int Sample = 100_000;

    public static void Run(string[] args)
    {
        var count = args.Length > 0 ? int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 1_000_000;
        if (!PasswordHash.TryParse("salt,sha256", out var hash)) throw new InvalidOperationException();
        var table = new BuiltInUsers();
        var password = "password"u8.ToArray();
        var before = Measure.LiveBytes();
        var log = new RecordLog(100_000);
        for (var from = 0; from < count; from += PageSize)
        {
            RecordChange[] changes =
            [
                .. Enumerable.Range(from, Math.Min(PageSize, count - from)).Select(i =>
                {
                    var (stored, salt) = hash.Make(password);
                    return table.Put(BuiltInUsers.KeyOf(UserKind.ClientId, $"device-{i:D8}"), new BuiltInUser("salt,sha256", stored, salt, false));
                }),
            ];
            log.Plan(changes, out _).ForEach(log.Apply);
        }

        var owner = Measure.LiveBytes();
        var position = default(RecordPosition);
        for (var isLast = false; !isLast;)
        {
            var page = log.After(position, PageSize);
            // As it comes from another process: with texts of its own.
            foreach (var record in page.Records) table.Take(record with { Key = new string(record.Key.AsSpan()) });
            (position, isLast) = (page.Next, page.IsLast);
        }

        var copy = Measure.LiveBytes();
        Console.WriteLine($"{count:N0} users: {(owner - before) / (double)count:F0} bytes a user at the owner, {(copy - owner) / (double)count:F0} in every process");
        var authenticator = new BuiltInAuthenticator(table);
        var clients = Enumerable.Range(0, Sample).Select(i => new ClientInfo
        {
            ClientId = $"device-{(long)i * 7919 % count:D8}", Version = ProtocolVersion.V5, CleanStart = true, KeepAlive = 0,
        }).ToArray();
        var mean = Measure.BestOfFive(Sample, i =>
        {
            if (authenticator.AuthenticateAsync(clients[i], password).AsTask().Result.Verdict != AuthenticationVerdict.Allow) throw new InvalidOperationException(Encoding.UTF8.GetString(password));
        });
        Console.WriteLine($"  {mean:N0} ns an authentication (salt,sha256)");
        GC.KeepAlive(log);
    }
}
