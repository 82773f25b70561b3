using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Xunit;

namespace Broker.Tests.Unit.Grains.Storage;

public abstract class RetainedStoreContract : StoreContract
{
    [Fact]
    public async Task LastMessageOfTopicIsLoaded_WhenReplacedAndRemoved()
    {
        await using var test = await OpenAsync();
        await test.WriteAsync(
            o => new SaveRetained(1, TestStore.Message("a", "old")) { Observer = o },
            o => new SaveRetained(1, TestStore.Message("a", "new")) { Observer = o },
            o => new SaveRetained(1, TestStore.Message("b", "gone")) { Observer = o },
            o => new SaveRetained(2, TestStore.Message("c", "elsewhere")) { Observer = o },
            o => new RemoveRetained(TopicName.Parse("b")) { Observer = o });
        var message = Assert.Single(await LoadAsync(test, 1));
        Assert.Equal("new"u8.ToArray(), message.Payload);
    }

    [Fact]
    public async Task EveryTopicIsLoadedOnce_WhenThereAreSeveralPages()
    {
        var path = await NewPlaceAsync();
        await using (var test = await OpenAsync(path))
        {
            for (var i = 0; i < 3_000; i++) test.Store.Submit(new SaveRetained(i < 2_000 ? 0 : 1, TestStore.Message($"topic/{i}")));
        }

        await using var again = await OpenAsync(path);
        var loaded = await LoadAsync(again, 0);
        Assert.Equal(Enumerable.Range(0, 2_000).Select(i => $"topic/{i}"), loaded.Select(message => message.Topic.Text));
        Assert.Empty(await LoadAsync(again, 2));
    }

    [Fact]
    public async Task FirstValueStays_WhenSettingIsAskedForTwice()
    {
        var path = await NewPlaceAsync();
        await using (var test = await OpenAsync(path)) Assert.Equal("64", await test.Store.GetOrCreateSettingAsync("shards", "64"));
        await using var again = await OpenAsync(path);
        Assert.Equal("64", await again.Store.GetOrCreateSettingAsync("shards", "128"));
    }

    [Fact]
    public async Task ReadsFail_WhenStoreIsClosed()
    {
        var test = await OpenAsync();
        await test.DisposeAsync();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => test.Store.ListDueAsync(1, 1));
    }

    private static async Task<List<ApplicationMessage>> LoadAsync(TestStore test, int partition)
    {
        List<ApplicationMessage> messages = [];
        await foreach (var message in test.Store.LoadRetainedAsync(partition)) messages.Add(message);
        return messages;
    }
}
