using System.Security.Cryptography;
using System.Text;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <summary>The columns of a subscription.</summary>
internal static class SubscriptionRow
{
    /// <summary>What <see cref="Read"/> reads, in its order.</summary>
    public const string Columns = "topic_filter, subscription_number, shard, qos, no_local, retain_as_published, retain_handling, identifier, retained_from";

    public const string Update = """
         ON DUPLICATE KEY UPDATE subscription_number = VALUES(subscription_number), shard = VALUES(shard), qos = VALUES(qos), no_local = VALUES(no_local),
            retain_as_published = VALUES(retain_as_published), retain_handling = VALUES(retain_handling), identifier = VALUES(identifier),
            retained_from = VALUES(retained_from)
        """;

    /// <summary>Writes session_key, filter_hash and <see cref="Columns"/>.</summary>
    public static void Write(SqlText sql, long sessionKey, SessionSubscription subscription)
    {
        var (filter, number, shard, options) = subscription;
        var utf8 = Encoding.UTF8.GetBytes(filter);
        sql.Value(sessionKey).Add(",").Value(SHA256.HashData(utf8)).Add(",").Value(utf8).Add(",").Value(number).Add(",").Value(shard).Add(",").Value((long)options.Qos)
            .Add(options.NoLocal ? ",1," : ",0,").Add(options.RetainAsPublished ? "1," : "0,").Value((long)options.RetainHandling).Add(",").Value(options.Identifier)
            .Add(",").Value(subscription.RetainedFrom);
    }

    /// <summary>Reads <see cref="Columns"/>, which must come first in the row.</summary>
    public static SessionSubscription Read(MySqlDataReader row) => new(
        Encoding.UTF8.GetString((byte[])row[0]), row.GetInt64(1), row.GetInt32(2), new SubscriptionOptions(
            (Qos)row.GetInt32(3), row.GetInt32(4) != 0, row.GetInt32(5) != 0, (RetainHandling)row.GetInt32(6), row.GetInt32(7)))
    {
        RetainedFrom = row.IsDBNull(8) ? null : Encoding.UTF8.GetString((byte[])row[8]),
    };
}
