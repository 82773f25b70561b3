using System.Buffers;
using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage.MySql;

/// <summary>Makes the statements of messages that wait for their time. Writer thread, inside the transaction.</summary>
internal sealed class DelayedStatements(SqlScript script, MessageCodec codec)
{
    private ArrayBufferWriter<byte> buffer = new();

    /// <summary>Writes what was planned: a message may have been named or taken out in the batch it came with.</summary>
    public void Write(BatchPlan plan)
    {
        script.Rows(
            "INSERT INTO delayed_message (partition_number, due_at, number, received_at, qos, retain, payload_bytes, topic, publisher, user_name, body) VALUES ",
            plan.Delayed, WriteRow);
        foreach (var (key, origin) in plan.DelayedNames)
        {
            script.Statement().Add("UPDATE delayed_message SET origin_source = ").Value(origin.Source).Add(", origin_number = ").Value(origin.Number)
                .Add(" WHERE partition_number = ").Value(key.Partition).Add(" AND due_at = ").Value(key.DueAt).Add(" AND number = ").Value(key.Number).Add(";");
        }

        script.Lists(
            "DELETE FROM delayed_message WHERE (partition_number, due_at, number) IN (", plan.DelayedRemovals,
            static (sql, key) => sql.Add("(").Value(key.Partition).Add(",").Value(key.DueAt).Add(",").Value(key.Number).Add(")"), ")");
    }

    private void WriteRow(SqlText sql, SaveDelayed save)
    {
        var (message, _, receivedAt, userName) = save.Waiting;
        sql.Value(save.Key.Partition).Add(",").Value(save.Key.DueAt).Add(",").Value(save.Key.Number).Add(",").Value(receivedAt).Add(",").Value((long)message.Qos)
            .Add(message.Retain ? ",1," : ",0,").Value(message.Payload.Length).Add(",").Value(message.Topic.Utf8).Add(",").Value(message.PublisherId).Add(",")
            .Value(userName).Add(",").Value(codec.Encode(message, ref buffer));
    }
}
